"""Watching an execution: everything from a line on, then what comes, until the end. Sockets and event streams share it.

The numbered log is the truth. A notice only wakes us; when one is lost we look by ourselves after POLL_SECONDS.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from executions import logs, notify
from executions.logs.reading import LogPage, live_page
from executions.models import Execution
from executions.shared_pages import SharedPage, shared_pages
from executions.sharing.positions import position

PAGE = 500
POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Changed:
    """The row as it is now."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class Lines:
    """The next lines of the log."""

    page: LogPage
    json: str  # the lines as they are shown


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing happened for a while."""


@dataclass(frozen=True, slots=True)
class Ended:
    """All lines were given; the row has its final state."""

    execution: Execution


Event = Changed | Lines | Idle | Ended


async def follow(execution_id: UUID, after: int) -> AsyncIterator[Event]:
    """First the row, then every line after number `after` exactly once and in order, changes of the row as they come,
    and Ended at last. Raises Execution.DoesNotExist."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    group = notify.group(execution_id)
    # Joined before the first look: what happens in between leaves a notice.
    await layer.group_add(group, channel)
    try:
        execution = await _load(execution_id)
        place = await _place(execution)
        yield Changed(execution)
        while True:
            # The row was read before these lines: once it says "ended", no line can be missing from them.
            async for shared in _pages(execution, after):
                after = shared.page.lines[-1].seq
                yield Lines(shared.page, shared.json)
            if execution.is_finished:
                yield Ended(execution)
                return
            notice = await _notice(channel, after)
            if notice == "execution.lines":
                continue
            if notice is None:
                yield Idle()
            latest = await _load(execution_id)
            earlier_place, place = place, await _place(latest)
            if _differs(latest, execution) or place != earlier_place:
                yield Changed(latest)
            execution = latest
    finally:
        await layer.group_discard(group, channel)


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


async def _pages(execution: Execution, after: int) -> AsyncIterator[SharedPage]:
    pages = shared_pages()
    while True:
        shared, fresh = await pages.after(execution.pk, after, partial(_read, execution, after))
        if not shared.page.lines:
            return
        yield shared
        # One that somebody else read a moment ago may lack what came since.
        if fresh and len(shared.page.lines) < PAGE:
            return
        after = shared.page.lines[-1].seq


async def _read(execution: Execution, after: int) -> LogPage:
    """While it runs only Redis has lines; the archive is looked into when it has ended and Redis has no more."""
    page = await sync_to_async(live_page, thread_sensitive=False)(execution.pk, after, PAGE)
    if page.lines or not execution.is_finished:
        return page
    archived: LogPage = await database_sync_to_async(logs.read)(execution.pk, after, PAGE)
    return archived


@database_sync_to_async  # type: ignore[untyped-decorator]
def _load(execution_id: UUID) -> Execution:
    return Execution.objects.with_names().get(pk=execution_id)


@database_sync_to_async  # type: ignore[untyped-decorator]
def _place(execution: Execution) -> int | None:
    return position(execution)


def _differs(one: Execution, other: Execution) -> bool:
    return any(
        getattr(one, name) != getattr(other, name)
        for name in ("status", "attempt", "cancel_requested", "started_at", "finished_at")
    )
