"""Numbered lines: in the stream, in the archive, and across whatever dies in between."""

import time
import uuid
from collections.abc import Iterator
from functools import partial

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from executions import logs
from executions.connections import redis_client
from executions.logs import Line, LogWriter, Stream, stream
from executions.logs.archive import LOST
from executions.logs.lines import pack, unpack
from executions.logs.reading import everything
from tests.executions.conftest import eventually
from tests.factories.executions import ExecutionFactory


def lines(first: int, last: int) -> list[Line]:
    return [Line(seq, 1000 + seq, Stream.STDOUT, f"line {seq}") for seq in range(first, last + 1)]


@pytest.fixture
def execution_id() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Redis does not answer until the patch is undone."""
    dead = redis.Redis(port=1, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("executions.logs.stream.redis_client", lambda: dead)
        yield patch
    dead.close()


def test_append_and_read_after_any_line(execution_id: uuid.UUID) -> None:
    assert logs.append(execution_id, 1, lines(1, 1200)) == 1200
    assert [line.seq for line in stream.lines_after(execution_id, 0, 5)] == [1, 2, 3, 4, 5]
    assert stream.lines_after(execution_id, 1198, 100) == lines(1199, 1200)
    assert stream.lines_after(execution_id, 1200, 100) == []
    assert stream.last_seq(execution_id) == 1200


def test_sent_twice_is_there_once(execution_id: uuid.UUID) -> None:
    logs.append(execution_id, 1, lines(1, 5))
    assert logs.append(execution_id, 1, lines(3, 8)) == 8
    assert stream.lines_after(execution_id, 0, 100) == lines(1, 8)


def test_a_hole_is_refused(execution_id: uuid.UUID) -> None:
    logs.append(execution_id, 1, lines(1, 2))
    assert logs.append(execution_id, 1, lines(4, 5)) == 2
    assert stream.last_seq(execution_id) == 2


def test_an_older_attempt_gets_nothing_in(execution_id: uuid.UUID) -> None:
    logs.append(execution_id, 1, lines(1, 2))
    stream.fence(execution_id, 2)
    assert logs.append(execution_id, 1, lines(3, 3)) == stream.Refused.FENCED
    assert logs.append(execution_id, 2, lines(3, 4)) == 4


def test_everything_expires_by_itself(execution_id: uuid.UUID) -> None:
    logs.append(execution_id, 1, lines(1, 1))
    for key in redis_client().keys(f"agentnexus:log:{execution_id}*"):
        assert 0 < redis_client().ttl(key) <= stream.LIFETIME_SECONDS
    stream.expire(execution_id)
    ages = [redis_client().ttl(f"agentnexus:log:{execution_id}{part}") for part in ("", ":attempt")]
    assert 0 < ages[0] <= stream.LINGER_SECONDS < ages[1] <= stream.SEALED_SECONDS


def test_writer_numbers_and_writes_each_line_soon(execution_id: uuid.UUID) -> None:
    def reached(seq: int) -> bool:
        return stream.last_seq(execution_id) == seq

    with LogWriter(execution_id, 1) as writer:
        for number in range(3):
            writer.write(Stream.STDERR, str(number))
            began = time.monotonic()
            eventually(partial(reached, number + 1))
            assert time.monotonic() - began < 2
    assert [(line.seq, line.text) for line in writer.lines] == [(1, "0"), (2, "1"), (3, "2")]


def test_writer_close_leaves_nothing_unwritten(execution_id: uuid.UUID) -> None:
    with LogWriter(execution_id, 1) as writer:
        for number in range(5000):
            writer.write(Stream.STDOUT, str(number))
    assert stream.last_seq(execution_id) == 5000


def test_writer_goes_on_after_earlier_attempts(execution_id: uuid.UUID) -> None:
    logs.append(execution_id, 1, lines(1, 3))
    earlier = logs.earlier(execution_id, 2, 0)
    assert earlier == lines(1, 3)
    with LogWriter(execution_id, 2, earlier) as writer:
        writer.write(Stream.EVENT, "Attempt 2.")
    assert [line.seq for line in stream.lines_after(execution_id, 0, 10)] == [1, 2, 3, 4]
    assert len(writer.lines) == 4


def test_fenced_writer_stops(execution_id: uuid.UUID) -> None:
    with LogWriter(execution_id, 1) as writer:
        writer.write(Stream.STDOUT, "mine")
        eventually(lambda: stream.last_seq(execution_id) == 1)
        stream.fence(execution_id, 2)
        writer.write(Stream.STDOUT, "too late")
        eventually(lambda: writer.fenced)
    assert stream.last_seq(execution_id) == 1


def test_redis_that_forgot_everything_is_filled_again(execution_id: uuid.UUID) -> None:
    with LogWriter(execution_id, 1) as writer:
        writer.write(Stream.STDOUT, "one")
        eventually(lambda: stream.last_seq(execution_id) == 1)
        redis_client().flushdb()
        writer.write(Stream.STDOUT, "two")
        eventually(lambda: stream.last_seq(execution_id) == 2)
    assert [line.text for line in stream.lines_after(execution_id, 0, 10)] == ["one", "two"]


def test_writing_waits_for_redis_to_come_back(
    execution_id: uuid.UUID, away: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LogWriter, "RETRY_SECONDS", 0.05)
    with LogWriter(execution_id, 1) as writer:
        writer.write(Stream.STDOUT, "one")
        writer.write(Stream.STDOUT, "two")
        time.sleep(0.2)  # some attempts fail
        away.undo()
        eventually(lambda: stream.last_seq(execution_id) == 2)


def test_close_does_not_wait_for_ever(
    execution_id: uuid.UUID, away: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LogWriter, "CLOSE_SECONDS", 0.5)
    writer = LogWriter(execution_id, 1)
    writer.write(Stream.STDOUT, "one")
    began = time.monotonic()
    writer.close()
    assert time.monotonic() - began < 8
    assert [line.text for line in writer.lines] == ["one"]


def test_lines_that_are_gone_leave_a_mark_and_no_gap(execution_id: uuid.UUID) -> None:
    logs.append(execution_id, 1, lines(1, 2))
    earlier = logs.earlier(execution_id, 2, last_seq=4)
    assert [(line.seq, line.text) for line in earlier] == [(1, "line 1"), (2, "line 2"), (3, LOST), (4, LOST)]


@pytest.mark.django_db
def test_archive_takes_over_from_the_stream() -> None:
    execution = ExecutionFactory.create(status="succeeded")
    logs.append(execution.pk, 1, lines(1, 2500))
    assert logs.archive(execution.pk, logs.collect(execution.pk)) == 2500
    before = list(everything(execution.pk))
    stream.delete(execution.pk)
    assert list(everything(execution.pk)) == before == lines(1, 2500)
    page = logs.read(execution.pk, after=2490, limit=5)
    assert ([line.seq for line in page.lines], page.last_seq) == ([2491, 2492, 2493, 2494, 2495], 2500)


@pytest.mark.django_db
@pytest.mark.parametrize("length", [1, 70_000])  # several pieces of the archive in a line, many lines in a piece
def test_any_part_of_an_archive_can_be_read(length: int) -> None:
    execution = ExecutionFactory.create(status="succeeded")
    whole = [Line(seq, seq, Stream.STDOUT, str(seq % 10) * length) for seq in range(1, 31)]
    logs.archive(execution.pk, whole)
    for after in (0, 1, 15, 28, 29, 30, 99):
        for limit in (1, 7, 100):
            page = logs.read(execution.pk, after, limit)
            assert (page.lines, page.last_seq) == (tuple(whole[after : after + limit]), 30)


@pytest.mark.django_db
def test_archive_is_written_once() -> None:
    execution = ExecutionFactory.create(status="succeeded")
    logs.archive(execution.pk, lines(1, 3))
    logs.archive(execution.pk, lines(1, 1))
    assert list(everything(execution.pk)) == lines(1, 3)


@pytest.mark.django_db
def test_reading_without_redis(away: pytest.MonkeyPatch) -> None:
    archived, running = ExecutionFactory.create(status="succeeded"), ExecutionFactory.create(status="running")
    logs.archive(archived.pk, lines(1, 3))
    assert logs.read(archived.pk).lines == tuple(lines(1, 3))
    assert logs.read(running.pk).lines == ()


def test_shown_line() -> None:
    line = Line(7, 1_764_000_000_123, Stream.STDERR, "\x1b[31mred\x1b[0m")
    assert line.shown() == {"seq": 7, "time": "2025-11-24T16:00:00.123Z", "stream": "stderr", "text": "red"}
    assert unpack(pack([line, line])) == [line, line]
