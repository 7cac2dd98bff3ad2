"""Health checks of the chain: is each network's node there, is it the right one, does a listener keep up?"""

import time
from typing import Any

from django.core.cache import cache

from chain.errors import ChainError
from chain.listener.heartbeat import last_beat
from chain.models import Cursor, OutboxTransaction
from chain.networks import Network, all_networks
from chain.outbox.funds import low_accounts
from chain.outbox.states import OPEN
from chain.rpc import Pool
from chain.rpc.endpoint import Endpoint

PROBE_SECONDS = 2.0
# The probes of a node are answered from the cache for this long: a health page may be polled by many.
KEPT_SECONDS = 5
SILENT_SECONDS = 60
MOST_BLOCKS_BEHIND = 30
STUCK_SECONDS = 600


def status() -> list[dict[str, Any]]:
    """Checks of this room: `{name, ok, detail}`, four for each network."""
    parts = (_node, _listener, _outbox, _funds)
    return [part(network) for network in all_networks() for part in parts]


def _node(network: Network) -> dict[str, Any]:
    key = f"chain:health:{network.slug}:{network.chain_id}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is None:
        kept = _probe(network)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _probing(network: Network) -> Pool:
    """A pool of its own: a health check must neither wait as long as work may, nor pause an endpoint for it."""
    return Pool(network, [Endpoint(url, read_seconds=PROBE_SECONDS) for url in network.rpc_urls])


def _probe(network: Network) -> dict[str, Any]:
    name = f"chain:{network.slug}:node"
    try:
        head = int(_probing(network).call("eth_blockNumber"), 16)
    except ChainError as exc:
        return {"name": name, "ok": False, "detail": exc.message}
    return {"name": name, "ok": True, "detail": f"chain {network.chain_id} at block {head}", "head": head}


def _listener(network: Network) -> dict[str, Any]:
    name = f"chain:{network.slug}:listener"
    heartbeat = last_beat(network)
    if heartbeat is None:
        return {"name": name, "ok": False, "detail": "No listener runs. Start `manage.py listen`."}
    silent = time.time() - heartbeat.at
    if silent > SILENT_SECONDS:
        return {"name": name, "ok": False, "detail": f"The listener has been silent for {silent:.0f} s; restart it."}
    if heartbeat.trouble:
        return {"name": name, "ok": False, "detail": heartbeat.trouble}
    cursor = Cursor.objects.filter(network=network.slug).first()
    if cursor is None:
        return {"name": name, "ok": False, "detail": "The listener has not read anything yet."}
    head = _node(network).get("head", cursor.head_number)
    behind = max(0, head - cursor.block_number)
    seconds = behind * network.block_time
    detail = f"at block {cursor.block_number}, {behind} blocks ({seconds} s) behind"
    return {
        "name": name,
        "ok": behind <= MOST_BLOCKS_BEHIND and not heartbeat.warning,
        "detail": f"{detail}. {heartbeat.warning}" if heartbeat.warning else detail,
        "lag_blocks": behind,
        "lag_seconds": seconds,
    }


def _outbox(network: Network) -> dict[str, Any]:
    name = f"chain:{network.slug}:outbox"
    waiting = OutboxTransaction.objects.filter(network=network.slug, status__in=OPEN)
    count = waiting.count()
    oldest = waiting.order_by("created_at").first() if count else None
    if oldest is None:
        return {"name": name, "ok": True, "detail": "nothing waits"}
    age = time.time() - oldest.created_at.timestamp()
    detail = f"{count} open, the oldest for {age:.0f} s"
    if age <= STUCK_SECONDS and oldest.status != OutboxTransaction.Status.UNKNOWN:
        return {"name": name, "ok": True, "detail": detail}
    return {"name": name, "ok": False, "detail": f"{detail}: {oldest.purpose}. {oldest.detail}".strip()}


def _funds(network: Network) -> dict[str, Any]:
    """Whether the keys that send transactions by themselves can pay for them."""
    name = f"chain:{network.slug}:funds"
    if not _node(network)["ok"]:
        return {"name": name, "ok": True, "detail": "not known while the node does not answer"}
    key = f"chain:health:funds:{network.slug}:{network.chain_id}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is None:
        try:
            low = low_accounts(network, _probing(network))
        except ChainError as exc:
            return {"name": name, "ok": False, "detail": exc.message}
        kept = {"name": name, "ok": not low, "detail": " ".join(low) or "the sending accounts have enough ether"}
        cache.set(key, kept, KEPT_SECONDS)
    return kept
