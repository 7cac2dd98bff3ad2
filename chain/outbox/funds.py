"""Whether the keys that send transactions have the ether to pay for them."""

from django.conf import settings

from chain.errors import MissingKeyError
from chain.keys import get_signer
from chain.networks import Network
from chain.rpc import Pool, pool_of
from chain.tokens import format_units

# The keys that send without anybody being asked; the others are used by hand.
SENDING_KEYS = ("RELAYER_KEY", "ARBITER_KEY")


def shortage(network: Network, key_name: str, pool: Pool | None = None) -> str:
    """A sentence when the account of `key_name` has less ether than LOW_BALANCE_WEI, else "".

    Raises MissingKeyError, RpcUnavailableError.
    """
    address = get_signer(key_name, network).address
    balance = int((pool or pool_of(network)).call("eth_getBalance", address, "latest"), 16)
    if balance >= settings.LOW_BALANCE_WEI:
        return ""
    return (
        f"{address} ({key_name}) has {format_units(balance, 18)} {network.native_symbol} left on {network.name}. "
        "Send it some."
    )


def low_accounts(network: Network, pool: Pool) -> list[str]:
    """Sentences on the configured sending keys that are short of ether. Raises RpcUnavailableError."""
    found = []
    for name in SENDING_KEYS:
        try:
            found.append(shortage(network, name, pool))
        except MissingKeyError:
            continue  # what needs the key says so itself
    return [sentence for sentence in found if sentence]
