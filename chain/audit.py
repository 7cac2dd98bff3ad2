"""Holds everything we know of a network against the network itself. Changes nothing.

A finding that is not ok says what differs and what to do. `manage.py check_chain` prints them; the listener looks
every hour, logs what is not ok, and shows it through the health checks and in the admin.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from chain import artefacts
from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.bindings.entitlements import Entitlements
from chain.bindings.erc20 import Erc20
from chain.bindings.escrow import Escrow
from chain.deployments.deploy import constructor_args
from chain.deployments.verify import CodeState, code_state
from chain.errors import ChainError
from chain.keys import KEY_NAMES, get_signer
from chain.models import Cursor, Deployment, Event, OutboxTransaction
from chain.networks import Network
from chain.outbox.states import Status
from chain.rpc import pool_of
from chain.rpc.agreement import disagreement, heads
from chain.tokens import NATIVE, Token, format_amount, format_units, tokens_for

# Keys that pay gas should hold at least LOW_BALANCE_WEI where ether is worth something.
SENDING_KEYS = ("GRANT_KEY", "ARBITER_KEY", "RELAYER_KEY")
MOST_HOLDERS = 5_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was compared."""

    name: str
    ok: bool
    detail: str


# What other rooms compare: a network, and how many holders or accounts at most.
Part = Callable[[Network, int], Iterator[Finding]]
_others: dict[str, Part] = {}


def compare_also(name: str, part: Part) -> None:
    """Have `part` of another room compared, too. Called when an app is ready."""
    _others[name] = part


def audit(network: Network, most_holders: int = MOST_HOLDERS) -> Iterator[Finding]:
    """Every finding about `network`, in the order in which troubles explain each other. Entitlements and credits are
    compared for the `most_holders` that changed last."""
    parts: tuple[tuple[str, Part], ...] = (
        ("endpoints", _endpoints),
        ("contracts", _contracts),
        ("roles", _roles),
        ("cursor", _cursor),
        ("escrow's books", _books),
        ("entitlements", _entitlements),
        *_others.items(),
        ("keys", _keys),
        ("outbox", _outbox),
    )
    for name, part in parts:
        try:
            yield from part(network, most_holders)
        except ChainError as exc:
            yield Finding(name, False, exc.message)


def _endpoints(network: Network, _: int) -> Iterator[Finding]:
    pool = pool_of(network)
    for name, head in heads(pool).items():
        yield Finding(f"endpoint {name}", head is not None, f"at block {head}" if head is not None else "no answer")
    differing = disagreement(pool, network.confirmations)
    yield Finding("endpoints agree", not differing, differing or "no two differ")


def _contracts(network: Network, _: int) -> Iterator[Finding]:
    rows = Deployment.objects.filter(network=network.slug)
    if {ESCROW, ENTITLEMENTS} - {row.contract for row in rows}:
        yield Finding("contracts", False, f"Not deployed. Run: manage.py deploy_contracts {network.slug}")
    for row in rows:
        verdict = code_state(network, artefacts.load(row.contract), row.address, constructor_args(row))
        yield Finding(f"code of {row.contract}", verdict.state == CodeState.SAME, f"{row.address}: {verdict.detail}")


def _roles(network: Network, _: int) -> Iterator[Finding]:
    escrow, entitlements = Escrow.for_network(network), Entitlements.for_network(network)
    expected = {"quoteSigner": "QUOTE_SIGNER_KEY", "arbiter": "ARBITER_KEY"}
    for getter, key in expected.items():
        found, wanted = escrow.contract.read(getter), get_signer(key, network).address
        detail = found if found == wanted else f"{found} on the chain, but {key} is {wanted}"
        yield Finding(f"escrow's {getter}", found == wanted, detail)
    for name, account in (("escrow", escrow.address), ("GRANT_KEY", get_signer("GRANT_KEY", network).address)):
        allowed = bool(entitlements.contract.read("isMinter", account))
        yield Finding(
            f"{name} may grant", allowed, account if allowed else f"{account} is not a minter: call setMinter"
        )
    fee = escrow.fee_bps()
    yield Finding(
        "platform fee",
        fee == settings.PLATFORM_FEE_BPS,
        f"{fee} basis points on the chain, {settings.PLATFORM_FEE_BPS} in the settings",
    )


def _cursor(network: Network, _: int) -> Iterator[Finding]:
    cursor = Cursor.objects.filter(network=network.slug).first()
    if cursor is None:
        yield Finding("cursor", False, "Nothing was read yet. Start `manage.py listen`.")
        return
    block = pool_of(network).call("eth_getBlockByNumber", hex(cursor.block_number), False)
    on_chain = block is not None and block["hash"] == cursor.block_hash
    detail = f"block {cursor.block_number}"
    yield Finding(
        "cursor", on_chain, detail if on_chain else f"{detail} is not on the node's chain; the listener will see"
    )


def _books(network: Network, _: int) -> Iterator[Finding]:
    """What the events say went in and out, against what the escrow holds, at the block that we have read."""
    cursor = Cursor.objects.filter(network=network.slug).first()
    if cursor is None:
        return
    held: dict[str, int] = defaultdict(int)
    live = _live_events(cursor, ESCROW)
    for name, args in live.filter(name__in=["PaymentDeposited", "Withdrawn"]).values_list("name", "args"):
        held[args["token"]] += int(args["amount"]) if name == "PaymentDeposited" else -int(args["amount"])
    escrow = Escrow.for_network(network)
    for token in tokens_for(network):
        balance = _balance(network, token, escrow.address, hex(cursor.block_number))
        ledger = held[token.address]
        # Anybody may send the escrow money that belongs to nobody; less than the ledger is what must never be.
        detail = f"holds {format_amount(balance, token)}, the events say {format_amount(ledger, token)}"
        if balance < ledger:
            detail += ". Run: manage.py reindex 0 --singly; if it stays, pause the escrow"
        elif balance > ledger:
            detail += ": more than was paid in, which harms nobody, or a deposit was missed (manage.py reindex 0)"
        yield Finding(f"escrow's {token.symbol}", balance == ledger, detail)


def _live_events(cursor: Cursor, contract: str) -> QuerySet[Event]:
    """Events up to the block that we compare at; a listener may be storing later ones."""
    return Event.objects.filter(
        network=cursor.network, contract=contract, block_number__lte=cursor.block_number
    ).exclude(status=Event.Status.REVERTED)


def _balance(network: Network, token: Token, account: str, block: str) -> int:
    if token.address == NATIVE:
        return int(pool_of(network).call("eth_getBalance", account, block), 16)
    return int(Erc20(network, token).contract.read("balanceOf", account, block=block))


def _entitlements(network: Network, most_holders: int) -> Iterator[Finding]:
    """The newest change of each holder's access that we know of, against the contract at the same block."""
    cursor = Cursor.objects.filter(network=network.slug).first()
    if cursor is None:
        return
    changes = (
        _live_events(cursor, ENTITLEMENTS)
        .filter(name="EntitlementChanged")
        .order_by("block_number", "log_index")
        .values_list("args", flat=True)
    )
    newest: dict[tuple[str, int], int] = {}
    for args in changes:
        key = args["holder"], int(args["agentId"])
        newest.pop(key, None)  # so that the last to change comes last
        newest[key] = int(args["expiresAt"])
    entitlements = Entitlements.for_network(network)
    wrong: list[str] = []
    for (holder, agent_id), expected in list(newest.items())[-most_holders:]:
        found = entitlements.contract.read("expiresAt", holder, agent_id, block=hex(cursor.block_number))
        if found != expected:
            wrong.append(f"{holder} for agent {agent_id}: {found} on the chain, {expected} here")
    detail = f"{min(len(newest), most_holders)} compared"
    if wrong:
        detail = f"{len(wrong)} differ, first {wrong[0]}. Run: manage.py reindex 0 --singly"
    yield Finding("entitlements", not wrong, detail)


def _keys(network: Network, _: int) -> Iterator[Finding]:
    for name in KEY_NAMES:
        address = get_signer(name, network).address
        if name not in SENDING_KEYS:
            continue
        balance = int(pool_of(network).call("eth_getBalance", address, "latest"), 16)
        enough = network.is_local or balance >= settings.LOW_BALANCE_WEI
        detail = f"{address} has {format_units(balance, 18)} {network.native_symbol}"
        yield Finding(f"gas for {name}", enough, detail if enough else f"{detail}: send it some")


def _outbox(network: Network, _: int) -> Iterator[Finding]:
    rows = OutboxTransaction.objects.filter(network=network.slug)
    for status in (Status.UNKNOWN, Status.FAILED, Status.REVERTED, Status.DISPLACED):
        found = rows.filter(status=status)
        count = found.count()
        newest = found.order_by("-id").first()
        detail = f"{count}, newest: {newest.purpose}: {newest.detail}" if newest else "none"
        yield Finding(f"outbox {status.value}", count == 0 or status == Status.FAILED, detail)
