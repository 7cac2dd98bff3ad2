"""Holds the ledger against the escrow, beside what the chain room compares by itself. Changes nothing."""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Max, QuerySet, Sum

from chain.artefacts import ESCROW
from chain.audit import Finding
from chain.bindings.escrow import Escrow
from chain.models import Cursor, Event
from chain.networks import Network
from chain.tokens import format_amount
from marketplace.api.tokens import TokenBook
from marketplace.payouts.balances import HELD
from marketplace.payouts.models import Credit, Withdrawal
from marketplace.purchases.models import Purchase

# How often the listener may pass by while the sums are read; then what was read is not of one moment.
TRIES = 3
REMEDY = "Run: manage.py rebuild_ledger; if it stays, manage.py reindex 0 --singly, and stop payouts until it is clear"


def ledger_findings(network: Network, most_accounts: int) -> Iterator[Finding]:
    """Whether our books say what the events say, and whether each account's credit is what the escrow owes it, for the
    `most_accounts` that changed last. Raises what reading the chain raises."""
    cursor = _cursor(network)
    if cursor is None:
        return
    for _ in range(TRIES):
        findings = list(_books(network))
        before, cursor = cursor, _cursor(network) or cursor
        if before.block_hash == cursor.block_hash:
            yield from findings
            break
    else:
        yield Finding("ledger", True, "not compared: the listener read new blocks at the same time; ask again")
    yield _credits(network, cursor, most_accounts)


def _books(network: Network) -> Iterator[Finding]:
    """Per token: what purchases hold and accounts are credited with, against what the events say went in and out."""
    tokens = TokenBook()
    held, owed, events = _held(network), _sums(_owed(network)), _events(network)
    for address in sorted({*held, *owed, *events}):
        token = tokens.find(network.slug, address)
        ok = held[address] + owed[address] == events[address]
        detail = (
            f"{format_amount(held[address], token)} held and {format_amount(owed[address], token)} credited, "
            f"the events say {format_amount(events[address], token)}"
        )
        if not ok:
            detail += f". A deposit that is no purchase of ours, or our books are wrong. {REMEDY}"
        yield Finding(f"ledger's {token.symbol}", ok, detail)


def _held(network: Network) -> dict[str, int]:
    rows = Purchase.objects.filter(network=network.slug, status__in=HELD).order_by().values_list("token")
    return defaultdict(int, {token: int(total) for token, total in rows.annotate(total=Sum("amount"))})


def _events(network: Network) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    live = Event.objects.filter(network=network.slug, contract=ESCROW).exclude(status=Event.Status.REVERTED)
    for name, args in live.filter(name__in=["PaymentDeposited", "Withdrawn"]).values_list("name", "args"):
        sums[args["token"]] += int(args["amount"]) if name == "PaymentDeposited" else -int(args["amount"])
    return sums


def _credits(network: Network, cursor: Cursor, most: int) -> Finding:
    """Each account's credit against the contract at the block that we have read."""
    owed = _owed(network, cursor.block_number)
    newest = _changed_last(network, cursor.block_number)[:most]
    escrow, tokens = Escrow.for_network(network), TokenBook()
    wrong: list[str] = []
    for token, account in newest:
        found = int(escrow.contract.read("withdrawable", token, account, block=hex(cursor.block_number)))
        expected = owed[token, account]
        if found != expected:
            unit = tokens.find(network.slug, token)
            wrong.append(f"{account}: {format_amount(found, unit)} on the chain, {format_amount(expected, unit)} here")
    detail = f"{len(newest)} accounts compared"
    if wrong:
        detail = f"{len(wrong)} differ, first {wrong[0]}. {REMEDY}"
    return Finding("ledger's credits", not wrong, detail)


def _owed(network: Network, block: int | None = None) -> dict[tuple[str, str], int]:
    """By token and account: credited less withdrawn, up to `block`."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for sign, rows in _rows(network, block):
        totals = rows.order_by().values_list("token", "account").annotate(total=Sum("amount"))
        for token, account, total in totals:
            sums[token, account] += sign * int(total)
    return sums


def _changed_last(network: Network, block: int) -> list[tuple[str, str]]:
    last: dict[tuple[str, str], int] = defaultdict(int)
    for _, rows in _rows(network, block):
        newest = rows.order_by().values_list("token", "account").annotate(last=Max("block_number"))
        for token, account, number in newest:
            last[token, account] = max(last[token, account], number)
    return sorted(last, key=lambda key: -last[key])


def _rows(network: Network, block: int | None) -> Iterator[tuple[int, QuerySet[Credit] | QuerySet[Withdrawal]]]:
    upto = {} if block is None else {"block_number__lte": block}
    yield 1, Credit.objects.filter(network=network.slug, **upto)
    yield -1, Withdrawal.objects.filter(network=network.slug, **upto).exclude(status=Event.Status.REVERTED)


def _sums(owed: dict[tuple[str, str], int]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for (token, _), amount in owed.items():
        sums[token] += amount
    return sums


def _cursor(network: Network) -> Cursor | None:
    return Cursor.objects.filter(network=network.slug).first()
