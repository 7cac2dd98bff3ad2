"""What is new of an execution that somebody watches: read and encoded once in a process, for all who watch it there.

The newest batches stay in memory. A watcher takes them at its own pace, and one that has fallen behind them reads the
stored log until it has caught up, so nobody waits for a slow one and no queue grows.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import structlog
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError

from executions import logs, notify
from executions.logs import stream
from executions.logs.reading import LogPage, live_page
from executions.models import Execution
from executions.shared_pages import SharedPage, shared_pages
from executions.sharing.obstacles import obstacle
from executions.sharing.positions import position

log = structlog.get_logger(__name__)
# Where a run stands in the queue, and what keeps it there beyond its turn.
Place = tuple[int | None, str]
# Of a frame. A busy log comes in batches of what was written within LogWriter.FLUSH_SECONDS.
PAGE = 1_000
# A notice only wakes us; when one is lost we look by ourselves after this long.
POLL_SECONDS = 2.0
# Encoded batches in memory: about a second of the busiest log, and what those need who connect anew.
KEPT_BYTES = 2 * 1024 * 1024
_AWAY = (redis.RedisError, DatabaseError, InterfaceError, OSError)


class Feed:
    """The row of an execution and the end of its log, kept up to date while there are watchers.

    `tick` is set, and replaced, whenever there is more to see. `version` counts how often the row was looked at.
    Once `ended`, every line is in the stored log and none will follow.
    """

    def __init__(self, execution_id: UUID) -> None:
        self.id = execution_id
        self.execution: Execution | None = None
        self.place: Place = (None, "")
        self.version = 0
        self.last = 0
        self.ended = False
        self.error: Execution.DoesNotExist | None = None
        self.tick = asyncio.Event()
        self.watchers = 0
        self._batches: deque[SharedPage] = deque()
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow, if nobody has yet."""
        self._task = self._task or asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def after(self, number: int) -> SharedPage | None:
        """The lines that follow `number`, as many as there are at hand; None when there are none now."""
        index = bisect_right(self._batches, number, key=lambda batch: batch.last)
        if index < len(self._batches):
            batch = self._batches[index]
            if batch.first <= number + 1:
                return batch.after(number)
        elif number >= self.last:
            return None
        return await stored_after(self.id, number, ended=self.ended)

    async def _run(self) -> None:
        layer = get_channel_layer()
        channel, group = await layer.new_channel(), notify.group(self.id)
        notice: str | None = None
        try:
            while True:
                try:
                    if notice is None:  # also anew from time to time: a Redis that was restarted has no groups
                        await layer.group_add(group, channel)
                    if notice != "execution.lines" or self.execution is None:
                        self.execution = await self._look()
                    await self._take(ended=self.execution.is_finished)
                    if self.ended:
                        return
                    notice = await _notice(channel, self.last)
                except _AWAY as exc:
                    log.warning("feed_interrupted", execution_id=str(self.id), error=type(exc).__name__)
                    notice = None
                    await asyncio.sleep(POLL_SECONDS)
        except Execution.DoesNotExist as exc:
            self.error = exc
            self._wake()
        finally:
            with suppress(*_AWAY):
                await layer.group_discard(group, channel)

    async def _look(self) -> Execution:
        if not self.version:  # what was written before is for each watcher to read
            self.last = await sync_to_async(stream.last_seq, thread_sensitive=False)(self.id)
        self.execution = await load(self.id)
        self.place = await place_of(self.execution)
        self.version += 1
        self._wake()
        return self.execution

    async def _take(self, *, ended: bool) -> None:
        """All lines that are there. The row was read before: once it says "ended", no line can be missing from them."""
        while (page := await _read(self.id, self.last, ended=ended)).lines:
            batch = SharedPage(page)
            self._batches.append(batch)
            self._size += batch.size
            while self._size > KEPT_BYTES:
                self._size -= self._batches.popleft().size
            self.last = batch.last
            self._wake()
            if batch.last >= page.last_seq and not ended:
                break
        if ended:
            self.ended = True
            self._wake()

    def _wake(self) -> None:
        tick, self.tick = self.tick, asyncio.Event()
        tick.set()


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[UUID, Feed]] = WeakKeyDictionary()


@asynccontextmanager
async def joined(execution_id: UUID) -> AsyncIterator[Feed]:
    """The feed of an execution in this event loop; it stops with its last watcher."""
    feeds = _feeds.setdefault(asyncio.get_running_loop(), {})
    feed = feeds.get(execution_id)
    if feed is None or feed.error is not None:
        feed = feeds[execution_id] = Feed(execution_id)
    feed.watchers += 1
    try:
        yield feed
    finally:
        feed.watchers -= 1
        if not feed.watchers:
            if feeds.get(execution_id) is feed:
                del feeds[execution_id]
            await feed.stop()


async def stored_after(execution_id: UUID, number: int, *, ended: bool) -> SharedPage | None:
    """A page of the stored log, read once for those who ask at the same time; None when there is nothing."""
    page = await shared_pages().after(execution_id, number, lambda: _read(execution_id, number, ended=ended))
    return page if page.page.lines else None


async def _read(execution_id: UUID, after: int, *, ended: bool) -> LogPage:
    """While it runs only Redis has lines; the archive is looked into when it has ended and Redis has no more."""
    page = await sync_to_async(live_page, thread_sensitive=False)(execution_id, after, PAGE)
    if page.lines or not ended:
        return page
    archived: LogPage = await database_sync_to_async(logs.read)(execution_id, after, PAGE)
    return archived


async def _notice(channel: str, after: int) -> str | None:
    """The kind of the next notice that tells something new; None when none came in time."""
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(POLL_SECONDS):
            while True:
                message: dict[str, Any] = await layer.receive(channel)
                if message["type"] != "execution.lines" or message["seq"] > after:
                    return str(message["type"])
    except TimeoutError:
        return None


@database_sync_to_async  # type: ignore[untyped-decorator]
def load(execution_id: UUID) -> Execution:
    return Execution.objects.with_names().get(pk=execution_id)


@database_sync_to_async  # type: ignore[untyped-decorator]
def place_of(execution: Execution) -> Place:
    return position(execution), obstacle(execution)
