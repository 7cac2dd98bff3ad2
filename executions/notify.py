"""Telling the watchers of an execution that there is more to see.

A message only says that something changed; what changed is read from where it is kept. A message may be lost
(channels drops beyond its capacity): watchers look by themselves when none came for a while.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

import redis
import structlog
from channels.layers import get_channel_layer

from executions.connections import redis_client

log = structlog.get_logger(__name__)
# The Redis channel on which workers are told to look at what they hold.
WORKERS = "agentnexus:executions:look"


def group(execution_id: UUID) -> str:
    """The channel group of an execution's watchers."""
    return f"execution.{execution_id}"


def lines(execution_id: UUID, seq: int) -> None:
    """There are lines up to number `seq`."""
    _send(execution_id, {"type": "execution.lines", "seq": seq})


def changed(execution_id: UUID) -> None:
    """Its row changed. Call after commit."""
    _send(execution_id, {"type": "execution.changed"})


def workers() -> None:
    """Something was asked of the workers: they look at once what they hold. Call after commit."""
    try:
        redis_client().publish(WORKERS, b"look")
    except redis.RedisError as exc:  # they look by themselves every second
        log.warning("workers_not_told", error=type(exc).__name__)


class _Loop:
    """An event loop in a thread of its own: the caller never waits, and connections are kept between messages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, work: Coroutine[Any, Any, None]) -> None:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="execution-notices", daemon=True).start()
        asyncio.run_coroutine_threadsafe(work, self._loop)


_loop = _Loop()


def _send(execution_id: UUID, message: dict[str, Any]) -> None:
    _loop.submit(_deliver(group(execution_id), message))


async def _deliver(name: str, message: dict[str, Any]) -> None:
    try:
        await get_channel_layer().group_send(name, message)
    except Exception as exc:  # noqa: BLE001  a notice may be lost for any reason; watchers look by themselves
        log.warning("execution_notice_lost", group=name, error=type(exc).__name__)
