"""Watching an execution: everything from a line on, then what comes, until the end. Sockets and event streams share it.

The numbered log is the truth; a watcher is only the number of the last line it was given.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID

from executions import feed as feeds
from executions.feed import Feed, Place, load, place_of
from executions.models import Execution
from executions.shared_pages import SharedPage


@dataclass(frozen=True, slots=True)
class Changed:
    """The row as it is now."""

    execution: Execution


@dataclass(frozen=True, slots=True)
class Lines:
    """The next lines of the log."""

    last: int  # the number of the last of them
    json: str  # the lines as they are shown


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing happened for a while."""


@dataclass(frozen=True, slots=True)
class Ended:
    """All lines were given; the row has its final state."""

    execution: Execution


Event = Changed | Lines | Idle | Ended


async def follow(execution_id: UUID, after: int) -> AsyncGenerator[Event, None]:
    """First the row, then every line after number `after` exactly once and in order, changes of the row as they come,
    and Ended at last. Raises Execution.DoesNotExist."""
    async with feeds.joined(execution_id) as feed:
        # Looked at before the row is: a change in between shows as a newer version.
        version = feed.version
        execution = await load(execution_id)
        place = await place_of(execution)
        yield Changed(execution)
        if not execution.is_finished:
            feed.start()
            async for event in _live(feed, version, execution, place, after):
                yield event
            return
    while (page := await feeds.stored_after(execution_id, after, ended=True)) is not None:
        after = page.last
        yield _lines(page)
    yield Ended(execution)


async def _live(
    feed: Feed, version: int, execution: Execution, place: Place, after: int
) -> AsyncGenerator[Event, None]:
    while True:
        tick, ended = feed.tick, feed.ended
        if feed.error is not None:
            raise feed.error
        if feed.execution is not None and feed.version != version:
            version, latest, earlier_place, place = feed.version, feed.execution, place, feed.place
            if _differs(latest, execution) or place != earlier_place:
                yield Changed(latest)
            execution = latest
        page = await feed.after(after)
        if page is not None:
            after = page.last
            yield _lines(page)
        elif ended:
            yield Ended(execution)
            return
        elif not await _within(tick, feeds.POLL_SECONDS):
            yield Idle()


def _lines(page: SharedPage) -> Lines:
    return Lines(page.last, page.json)


async def _within(tick: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await tick.wait()
    except TimeoutError:
        return False
    return True


def _differs(one: Execution, other: Execution) -> bool:
    return any(
        getattr(one, name) != getattr(other, name)
        for name in ("status", "attempt", "cancel_requested", "started_at", "finished_at")
    )
