"""A sign of life that the listener leaves in the cache, so that others can tell when none runs or one is stuck."""

import time
from dataclasses import asdict, dataclass

from django.core.cache import cache

from chain.networks import Network

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When (unix seconds) a listener of a network last worked, how far it is, what holds it up, and what it has found
    that a person should look at."""

    at: float
    block: int
    head: int
    trouble: str = ""
    warning: str = ""


def beat(network: Network, block: int, head: int, trouble: str = "", warning: str = "") -> None:
    """Leave a sign of life. A cache that is away must not stop the listener, so its errors end here."""
    heartbeat = Heartbeat(time.time(), block, head, trouble, warning)
    try:
        cache.set(_key(network), asdict(heartbeat), KEPT_SECONDS)
    except Exception:  # noqa: BLE001  whatever a cache backend raises: the sign is missing, which is what it says
        return


def last_beat(network: Network) -> Heartbeat | None:
    """The newest sign of life; None when there was none for a day."""
    kept = cache.get(_key(network))
    return Heartbeat(**kept) if kept else None


def _key(network: Network) -> str:
    return f"chain:listener:{network.slug}:{network.chain_id}"
