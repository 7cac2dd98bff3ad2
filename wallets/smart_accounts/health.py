"""Health checks of smart accounts: do the bundlers answer, is an operation stuck?"""

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from chain.networks import Network, all_networks
from chain.rpc.endpoint import Endpoint
from wallets.models import UserOperation
from wallets.smart_accounts.bundler import Bundlers
from wallets.smart_accounts.states import IN_FLIGHT, Status

PROBE_SECONDS = 2.0
KEPT_SECONDS = 15
STUCK = timedelta(minutes=5)


def status() -> list[dict[str, Any]]:
    """`{name, ok, detail}`, two for each network that offers smart accounts."""
    return [
        check
        for network in all_networks()
        if network.bundler_urls
        for check in (_bundlers(network), _operations(network))
    ]


def _bundlers(network: Network) -> dict[str, Any]:
    key = f"bundlers:health:{network.slug}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is None:
        # Of its own: a health check neither waits as long as work may, nor shares what work knows.
        probed = Bundlers(network, [Endpoint(url, read_seconds=PROBE_SECONDS) for url in network.bundler_urls])
        troubles = probed.answers()
        wrong = "; ".join(trouble for _, trouble in troubles if trouble)
        some = any(not trouble for _, trouble in troubles)
        detail = wrong or f"{len(troubles)} answer"
        kept = {"name": f"accounts:{network.slug}:bundlers", "ok": some, "detail": detail}
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _operations(network: Network) -> dict[str, Any]:
    name = f"accounts:{network.slug}:operations"
    waiting = UserOperation.objects.filter(account__network=network.slug, status__in=IN_FLIGHT)
    stuck = waiting.filter(signed_at__lt=timezone.now() - STUCK)
    unknown = waiting.filter(status=Status.UNKNOWN).count()
    oldest = stuck.order_by("signed_at").first()
    if oldest is None:
        return {"name": name, "ok": True, "detail": f"{waiting.count()} on their way, {unknown} of them unknown"}
    minutes = int((timezone.now() - (oldest.signed_at or oldest.created_at)).total_seconds() // 60)
    detail = f"{stuck.count()} stuck, the oldest for {minutes} min: {oldest.pk} ({oldest.status}). {oldest.detail}"
    return {"name": name, "ok": False, "detail": detail.strip()}
