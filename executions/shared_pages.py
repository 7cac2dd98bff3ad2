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

# Watchers of a live log ask for the same page within moments.
KEPT_SECONDS = 2.0
KEPT_PAGES = 64


@dataclass(frozen=True)
class SharedPage:
    """A page, and its lines as JSON for everybody."""

    page: LogPage

    @cached_property
    def json(self) -> str:
        return json.dumps(self.page.shown())


class SharedPages:
    """The pages of one event loop. Not for several threads."""

    def __init__(self) -> None:
        self._reading: OrderedDict[tuple[UUID, int], tuple[float, asyncio.Task[SharedPage]]] = OrderedDict()

    async def after(
        self, execution_id: UUID, number: int, read: Callable[[], Awaitable[LogPage]]
    ) -> tuple[SharedPage, bool]:
        """The page after line `number`, and whether it was read for this call; an older one may end too early."""
        key = (execution_id, number)
        self._forget()
        known = self._reading.get(key)
        if known is not None and not _failed(known[1]):
            page = await asyncio.shield(known[1])
            if page.page.lines:
                return page, False
        task = asyncio.ensure_future(_shared(read))
        self._reading[key] = (time.monotonic(), task)
        return await asyncio.shield(task), True

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
