"""The networks of this installation, from settings.NETWORKS. A network without an RPC endpoint is not offered."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from chain.errors import UnknownNetworkError


@dataclass(frozen=True, slots=True)
class Network:
    """An EVM chain. `block_time` is in seconds; an event counts once `confirmations` blocks lie above its own."""

    slug: str
    name: str
    chain_id: int
    rpc_urls: tuple[str, ...]
    confirmations: int
    block_time: int
    explorer_url: str
    native_symbol: str
    is_local: bool
    usdc: str = ""
    bundler_urls: tuple[str, ...] = ()
    paymaster_urls: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without the RPC URLs, which may carry a provider's key."""
        return f"Network({self.slug!r}, chain_id={self.chain_id})"

    def __str__(self) -> str:
        return self.name

    def transaction_url(self, transaction_hash: str) -> str:
        """The explorer's page of a transaction, or "" when the network has no explorer."""
        return f"{self.explorer_url}/tx/{transaction_hash}" if self.explorer_url else ""

    def address_url(self, address: str) -> str:
        """The explorer's page of an address, or "" when the network has no explorer."""
        return f"{self.explorer_url}/address/{address}" if self.explorer_url else ""


def all_networks() -> tuple[Network, ...]:
    """Every network that has an endpoint, in the order of the settings."""
    return tuple(network(slug, conf) for slug, conf in settings.NETWORKS.items() if conf.get("rpc_urls"))


def get_network(slug: str) -> Network:
    """The network named `slug`. Raises UnknownNetworkError."""
    conf = settings.NETWORKS.get(slug)
    if not conf or not conf.get("rpc_urls"):
        known = ", ".join(item.slug for item in all_networks()) or "none"
        raise UnknownNetworkError(f"There is no network {slug!r} here. Configured: {known}.")
    return network(slug, conf)


def default_network() -> Network:
    """The network that is used where none is named. Raises UnknownNetworkError."""
    return get_network(settings.DEFAULT_NETWORK)


def network_by_chain_id(chain_id: int) -> Network:
    """The network with this chain id. Raises UnknownNetworkError."""
    for item in all_networks():
        if item.chain_id == chain_id:
            return item
    raise UnknownNetworkError(f"There is no network with chain id {chain_id} here.")


def network(slug: str, conf: dict[str, Any]) -> Network:
    """A network from its entry in settings.NETWORKS. Raises ImproperlyConfigured."""
    try:
        return Network(
            slug=slug,
            name=conf["name"],
            chain_id=int(conf["chain_id"]),
            rpc_urls=tuple(conf["rpc_urls"]),
            confirmations=int(conf["confirmations"]),
            block_time=int(conf["block_time"]),
            explorer_url=str(conf.get("explorer_url", "")).rstrip("/"),
            native_symbol=conf.get("native_symbol", "ETH"),
            is_local=bool(conf.get("is_local", slug == "local")),
            usdc=conf.get("usdc", ""),
            bundler_urls=tuple(conf.get("bundler_urls", ())),
            paymaster_urls=tuple(conf.get("paymaster_urls", ())),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ImproperlyConfigured(f"NETWORKS[{slug!r}] is not complete: {exc!r}.") from exc
