"""Many who watch one execution: read and encoded once, each at its own pace, whatever restarts meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db import OperationalError, connection

from executions import dispatch, feed, logs, notify
from executions.connections import redis_client
from executions.following import Changed, Ended, Event, Lines, follow
from executions.logs import Line, LogWriter, Stream, reading
from executions.logs.reading import LogPage
from executions.models import Execution
from executions.runners.base import Ending, RunOutcome
from tests.factories.executions import ExecutionFactory

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def append(execution: Execution, first: int, last: int) -> None:
    """Lines as a worker writes them."""
    logs.append(execution.pk, 1, texts(first, last))
    notify.lines(execution.pk, last)


@pytest_asyncio.fixture(autouse=True)
async def _close_the_connection_of_the_async_thread() -> AsyncIterator[None]:
    yield
    await database_sync_to_async(lambda: connection.close())()


@pytest_asyncio.fixture
async def running() -> Execution:
    execution: Execution = await database_sync_to_async(ExecutionFactory.create)(status="running", attempt=1)
    return execution


def texts(first: int, last: int) -> list[Line]:
    return [Line(seq, 0, Stream.STDOUT, f"line {seq}") for seq in range(first, last + 1)]


@database_sync_to_async  # type: ignore[untyped-decorator]
def finish(execution: Execution, lines: list[Line]) -> None:
    row = Execution.objects.select_related("version").get(pk=execution.pk)
    assert dispatch.finish(row, RunOutcome(Ending.EXITED, exit_code=0, output=b"{}"), lines)


class Watcher:
    """Goes along with `follow` and keeps what it got."""

    def __init__(self, execution_id: UUID, after: int = 0) -> None:
        self.events = follow(execution_id, after)
        self.seen = after
        self.kinds: list[str] = []

    async def until(self, seq: int) -> None:
        async with asyncio.timeout(30):
            while self.seen < seq:
                self._take(await anext(self.events))

    async def to_the_end(self) -> None:
        async with asyncio.timeout(30):
            async for event in self.events:
                self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Lines):
            assert f'[{{"seq": {self.seen + 1},' in event.json
            self.seen = event.last
        elif isinstance(event, Changed | Ended):
            self.kinds.append(event.execution.status)


async def test_a_batch_is_read_and_encoded_once_for_all(running: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[int] = Counter()
    encoded: Counter[int] = Counter()
    live_page, shown = reading.live_page, LogPage.shown

    def counted(execution_id: UUID, after: int, limit: int) -> LogPage:
        page = live_page(execution_id, after, limit)
        read[after] += bool(page.lines)
        return page

    def counted_shown(page: LogPage) -> list[dict[str, Any]]:
        encoded[page.lines[0].seq] += 1
        return shown(page)

    monkeypatch.setattr(feed, "live_page", counted)
    monkeypatch.setattr(LogPage, "shown", counted_shown)
    watchers = [Watcher(running.pk) for _ in range(20)]
    with LogWriter(running.pk, 1) as writer:
        for seq in range(1, 6):
            writer.write(Stream.STDOUT, str(seq))
            await asyncio.gather(*(watcher.until(seq) for watcher in watchers))
    assert (read, encoded) == (Counter(range(5)), Counter(range(1, 6)))
    await finish(running, writer.lines)
    await asyncio.gather(*(watcher.to_the_end() for watcher in watchers))
    assert {(watcher.seen, *watcher.kinds) for watcher in watchers} == {(5, "running", "succeeded", "succeeded")}


async def test_who_falls_behind_reads_the_stored_log(running: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "KEPT_BYTES", 10_000)
    quick, slow = Watcher(running.pk), Watcher(running.pk)
    await append(running, 1, 1)
    await slow.until(1)
    for last in range(500, 10_001, 500):
        await append(running, last - 499, last)
        await quick.until(last)
    async with feed.joined(running.pk) as joined:
        assert joined._size <= feed.KEPT_BYTES
    assert slow.seen == 1
    await slow.until(10_000)
    await finish(running, texts(1, 10_000))
    await asyncio.gather(quick.to_the_end(), slow.to_the_end())


async def test_who_joins_within_a_batch_gets_the_rest_of_it(running: Execution) -> None:
    first = Watcher(running.pk)
    await append(running, 1, 1)
    await first.until(1)
    await append(running, 2, 300)
    await first.until(300)
    for after in (1, 150, 299):
        late = Watcher(running.pk, after)
        await late.until(300)
        await late.events.aclose()
    await first.events.aclose()
    assert feed._feeds[asyncio.get_running_loop()] == {}


async def test_a_store_that_forgot_everything_is_followed_on(running: Execution) -> None:
    watcher = Watcher(running.pk)
    with LogWriter(running.pk, 1) as writer:
        writer.write(Stream.STDOUT, "one")
        await watcher.until(1)
        await sync_to_async(redis_client().flushdb)()
        writer.write(Stream.STDOUT, "two")
        await watcher.until(2)
        writer.write(Stream.STDOUT, "three")
        await watcher.until(3)
    await finish(running, writer.lines)
    await watcher.to_the_end()
    assert watcher.seen == 3


async def test_a_database_that_is_away_for_a_moment_ends_nothing(
    running: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "POLL_SECONDS", 0.1)
    watcher = Watcher(running.pk)
    await append(running, 1, 1)
    await watcher.until(1)
    load, failed = feed.load, asyncio.Event()

    async def failing(execution_id: UUID) -> Execution:
        failed.set()
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(feed, "load", failing)
    async with asyncio.timeout(10):
        await failed.wait()
    monkeypatch.setattr(feed, "load", load)
    await append(running, 2, 2)
    await watcher.until(2)
    await finish(running, texts(1, 2))
    await watcher.to_the_end()
    assert watcher.kinds == ["running", "succeeded", "succeeded"]
