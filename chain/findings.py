"""The newest audit of each network, kept in the cache so that the admin can show it."""

import time
from dataclasses import asdict, dataclass

from django.core.cache import cache

from chain.audit import Finding
from chain.networks import Network

KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Audit:
    """What was compared, and when (unix seconds)."""

    at: float
    findings: tuple[Finding, ...]


def keep(network: Network, findings: list[Finding]) -> None:
    """Keep these as the newest. A cache that is away must not stop the listener, so its errors end here."""
    audit = Audit(time.time(), tuple(findings))
    try:
        cache.set(_key(network), asdict(audit), KEPT_SECONDS)
    except Exception:  # noqa: BLE001  whatever a cache backend raises: the audit is missing, which is what it says
        return


def newest(network: Network) -> Audit | None:
    """The newest audit; None when there was none for a week."""
    kept = cache.get(_key(network))
    return Audit(kept["at"], tuple(Finding(**each) for each in kept["findings"])) if kept else None


def _key(network: Network) -> str:
    return f"chain:audit:{network.slug}:{network.chain_id}"
