"""Pages of logs that several watchers in this process are about to read: each is read and encoded once.

Lines never change, so a page read by one watcher is right for every other that wants what follows the same number.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID
from weakref import WeakKeyDictionary

from executions.logs.reading import LogPage

# Watchers that were cut off together ask for the same page within moments.
KEPT_SECONDS = 2.0
KEPT_PAGES = 64


@dataclass(frozen=True)
class SharedPage:
    """A page, and its lines as JSON for everybody."""

    page: LogPage

    @property
    def first(self) -> int:
        return self.page.lines[0].seq

    @property
    def last(self) -> int:
        return self.page.lines[-1].seq

    @cached_property
    def json(self) -> str:
        return json.dumps(self.page.shown())

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(self.json)

    def after(self, number: int) -> "SharedPage":
        """The part of it that follows a line in it, or the line before it."""
        if number < self.first:
            return self
        return SharedPage(LogPage(self.page.lines[number + 1 - self.first :], self.page.last_seq))


class SharedPages:
    """The pages of one event loop. Not for several threads."""

    def __init__(self) -> None:
        self._reading: OrderedDict[tuple[UUID, int], tuple[float, asyncio.Task[SharedPage]]] = OrderedDict()

    async def after(self, execution_id: UUID, number: int, read: Callable[[], Awaitable[LogPage]]) -> SharedPage:
        """The page after line `number`. One that somebody read a moment ago may lack what came since, but is not
        empty."""
        key = (execution_id, number)
        self._forget()
        known = self._reading.get(key)
        if known is not None and not _failed(known[1]):
            page = await asyncio.shield(known[1])
            if page.page.lines:
                return page
        task = asyncio.ensure_future(_shared(read))
        self._reading[key] = (time.monotonic(), task)
        return await asyncio.shield(task)

    def _forget(self) -> None:
        now = time.monotonic()
        while self._reading:
            at, _ = next(iter(self._reading.values()))
            if now - at < KEPT_SECONDS and len(self._reading) <= KEPT_PAGES:
                return
            self._reading.popitem(last=False)


_pages: WeakKeyDictionary[asyncio.AbstractEventLoop, SharedPages] = WeakKeyDictionary()


def shared_pages() -> SharedPages:
    """Those of the running event loop."""
    return _pages.setdefault(asyncio.get_running_loop(), SharedPages())


def _failed(task: "asyncio.Task[SharedPage]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _shared(read: Callable[[], Awaitable[LogPage]]) -> SharedPage:
    return SharedPage(await read())
