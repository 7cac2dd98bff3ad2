"""What accounts earned, what they can take out, and what they took: sums over the escrow's events."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum

from chain.bindings.escrow import Escrow
from chain.calls import Call
from chain.models import Event
from chain.networks import get_network
from chain.tokens import Token, get_token
from marketplace.errors import NothingOwedError, NotYoursError
from marketplace.payouts.models import Credit, Withdrawal
from marketplace.purchases.models import Purchase
from marketplace.purchases.standing import BPS
from marketplace.purchases.states import Status
from wallets.models import User

HELD = (Status.DEPOSITED, Status.ACTIVE, Status.DISPUTED)
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Balance:
    """Of one account in one token of one network, in base units. `held` is the account's share of payments in escrow
    that are not settled yet, after the fee; `withdrawable` is credited to it; `withdrawn` was paid out so far."""

    network: str
    token: str
    account: str
    held: int
    withdrawable: int
    withdrawn: int


def balances(accounts: Sequence[str]) -> list[Balance]:
    """The balances of `accounts` that ever moved or are about to, in a steady order."""
    held: dict[Key, int] = defaultdict(int)
    # The fee of each payment is rounded by itself, as the contract does; there are few different amounts.
    rows = Purchase.objects.filter(creator_address__in=accounts, status__in=HELD).order_by()
    terms = rows.values_list("network", "token", "creator_address", "amount", "fee_bps").annotate(count=Count("pk"))
    for network, token, account, amount, fee_bps, count in terms:
        held[network, token, account] += count * (amount - amount * fee_bps // BPS)
    credited = _sums(Credit.objects.filter(account__in=accounts))
    taken = _sums(Withdrawal.objects.filter(account__in=accounts).exclude(status=Event.Status.REVERTED))
    return [
        Balance(*key, held=held[key], withdrawable=max(0, credited[key] - taken[key]), withdrawn=taken[key])
        for key in sorted({*held, *credited, *taken})
    ]


def payouts(accounts: Sequence[str], limit: int = 50) -> list[Withdrawal]:
    """The newest payouts to `accounts`."""
    found = Withdrawal.objects.filter(account__in=accounts).exclude(status=Event.Status.REVERTED)
    return list(found.select_related("event").order_by("-block_time", "-log_index")[:limit])


def withdraw_call(user: User, network_slug: str, token: str, account: str) -> Call:
    """The transaction that pays the whole credit of the user's `account` out to it.

    The escrow itself is asked whether there is something, so that nobody pays gas for nothing. Raises NotYoursError,
    NothingOwedError; UnknownNetworkError, UnknownTokenError, NotDeployedError, RpcUnavailableError of the chain.
    """
    network = get_network(network_slug)
    found: Token = get_token(network, token)
    if account not in user.addresses():
        raise NotYoursError("This is not one of your wallets. Link it first.")
    escrow = Escrow.for_network(network)
    if not escrow.withdrawable(found.address, account):
        raise NothingOwedError(f"The escrow on {network.name} holds no {found.symbol} for this wallet.")
    return escrow.encode_withdraw(found.address, account)


def _sums(rows: QuerySet[Credit] | QuerySet[Withdrawal]) -> dict[Key, int]:
    sums = rows.order_by().values_list("network", "token", "account").annotate(total=Sum("amount"))
    return defaultdict(int, {(network, token, account): int(total) for network, token, account, total in sums})
