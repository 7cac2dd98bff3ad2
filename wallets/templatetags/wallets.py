"""Smart accounts and their operations, as pages show them."""

from typing import Any

from django import template

from chain.errors import UnknownNetworkError
from chain.networks import Network, default_network, get_network
from chain.tokens import format_units, tokens_for
from wallets.models import SmartAccount, User, UserOperation
from wallets.smart_accounts.accounts import offered_on, usable_by
from wallets.smart_accounts.keys import OwnerKey, owners
from wallets.smart_accounts.states import IN_FLIGHT

register = template.Library()
RECENT = 20
TONES = {
    UserOperation.Status.BUILT: "tone-neutral",
    UserOperation.Status.SIGNED: "tone-busy",
    UserOperation.Status.SUBMITTED: "tone-busy",
    UserOperation.Status.UNKNOWN: "tone-busy",
    UserOperation.Status.INCLUDED: "tone-good",
    UserOperation.Status.FAILED: "tone-bad",
    UserOperation.Status.DROPPED: "tone-neutral",
}


@register.inclusion_tag("wallets/_smart_accounts.html")
def smart_accounts(user: User) -> dict[str, Any]:
    """What a person's profile says of smart accounts; nothing where they are not offered and there are none."""
    network = default_network()
    offered = offered_on(network)
    accounts = usable_by(user)
    taken = {account.owner_address for account in accounts if account.network == network.slug}
    operations = UserOperation.objects.filter(account__in=accounts).exclude(code="not_signed")
    return {
        "user": user,
        "network": network,
        "offered": offered,
        "accounts": [(account, _network(account.network)) for account in accounts],
        "free_wallets": [wallet.address for wallet in user.wallets.all() if wallet.address not in taken],
        "operations": operations.select_related("account").order_by("-pk")[:RECENT],
        "tokens": tokens_for(network),
    }


@register.filter
def owner_keys(account: SmartAccount) -> list[OwnerKey]:
    """The passkeys that own an account; none where a wallet does."""
    return owners(account)


@register.filter
def operation_tone(status: str) -> str:
    """The stylesheet's tone of an operation's state."""
    return TONES.get(UserOperation.Status(status), "tone-neutral")


@register.filter
def in_flight(operation: UserOperation) -> bool:
    """Whether its outcome is still open."""
    return operation.status in IN_FLIGHT


@register.filter
def gas_paid(operation: UserOperation) -> str:
    """What its gas did cost, and who paid it."""
    if operation.gas_cost is None:
        return "-"
    step = 10 ** max(0, len(str(operation.gas_cost)) - 4)
    network = _network(operation.account.network)
    paid = f"{format_units(-(-operation.gas_cost // step) * step, 18)} {network.native_symbol if network else 'ETH'}"
    return f"{paid}, paid by us" if operation.paymaster else paid


@register.filter
def operation_url(operation: UserOperation) -> str:
    """Its transaction in the block explorer, "" where there is none."""
    network = _network(operation.account.network)
    return network.transaction_url(operation.transaction_hash) if network and operation.transaction_hash else ""


def _network(slug: str) -> Network | None:
    try:
        return get_network(slug)
    except UnknownNetworkError:
        return None
