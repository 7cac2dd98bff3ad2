"""Whether the keys that send transactions have the ether to pay for them."""

from django.conf import settings

from chain.keys import get_signer
from chain.models import OutboxTransaction
from chain.networks import Network
from chain.rpc import Pool, pool_of
from chain.tokens import format_units

# The keys that send without anybody being asked; the others are used by hand.
SENDING_KEYS = ("RELAYER_KEY", "ARBITER_KEY")


def shortage(network: Network, key_name: str) -> str:
    """A sentence when the account of `key_name` has less ether than LOW_BALANCE_WEI, else "".

    Raises MissingKeyError, RpcUnavailableError.
    """
    return _shortage(network, key_name, get_signer(key_name, network).address, pool_of(network))


def low_accounts(network: Network, pool: Pool) -> list[str]:
    """Sentences on the sending accounts that are short of ether. Raises RpcUnavailableError.

    A process that has no keys knows their addresses from what was sent.
    """
    found = []
    for name in SENDING_KEYS:
        newest = OutboxTransaction.objects.filter(network=network.slug, key_name=name).order_by("-id").first()
        if newest is not None:
            found.append(_shortage(network, name, newest.sender, pool))
    return [sentence for sentence in found if sentence]


def _shortage(network: Network, key_name: str, address: str, pool: Pool) -> str:
    balance = int(pool.call("eth_getBalance", address, "latest"), 16)
    if balance >= settings.LOW_BALANCE_WEI:
        return ""
    return (
        f"{address} ({key_name}) has {format_units(balance, 18)} {network.native_symbol} left on {network.name}. "
        "Send it some."
    )
