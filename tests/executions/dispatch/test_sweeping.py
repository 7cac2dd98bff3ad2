"""What the sweep puts right."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.utils import timezone

from executions import dispatch, logs
from executions.connections import redis_client
from executions.dispatch import sweeping
from executions.dispatch.sweeping import Swept
from executions.errors import RunnerError, RunnerUnavailableError
from executions.logs import Line, Stream, stream
from executions.models import Execution, LogArchive, Orphan
from executions.runners.base import Control, Found, RunOutcome, RunSpec, Sink
from tests.executions.conftest import eventually
from tests.factories.executions import ExecutionFactory

pytestmark = pytest.mark.django_db
PAST = timedelta(seconds=-1)


class Engine:
    """An engine with some containers."""

    def __init__(self, *found: Found, dead: bool = False) -> None:
        self.found = list(found)
        self.removed: list[str] = []
        self.dead = dead

    def probe(self) -> None:
        """It is there."""

    def describe(self) -> str:
        return "test"

    def containers(self) -> list[Found]:
        if self.dead:
            raise RunnerUnavailableError("away")
        return self.found

    def remove(self, handle: str) -> None:
        if handle == "stuck":
            raise RunnerError("device or resource busy")
        self.removed.append(handle)

    def run(self, spec: RunSpec, sink: Sink, control: Control) -> RunOutcome:
        raise AssertionError


def messages() -> int:
    """How many messages wait for workers."""
    return int(redis_client().llen("executions"))


def active(status: str = "running", **changes: Any) -> Execution:
    now = timezone.now()
    values: dict[str, Any] = {
        "attempt": 1,
        "lease_until": now + timedelta(seconds=20),
        "deadline_at": now + timedelta(seconds=60),
    }
    return ExecutionFactory.create(status=status, **(values | changes))


def test_nothing_to_do() -> None:
    ExecutionFactory.create(not_before=timezone.now() + timedelta(seconds=30))
    active()
    ExecutionFactory.create(status="succeeded")
    assert dispatch.sweep(Engine()) == Swept()
    assert messages() == 0


def test_wakes_workers_for_what_nobody_picked_up() -> None:
    for _ in range(3):
        ExecutionFactory.create()
    assert dispatch.sweep() == Swept(woken=3)
    assert messages() == 3
    assert dispatch.sweep() == Swept()  # they will be awake


def test_one_sweep_at_a_time_is_enough() -> None:
    ExecutionFactory.create()
    assert dispatch.sweep_in_turn() == Swept(woken=1)
    assert dispatch.sweep_in_turn() is None
    redis_client().delete(sweeping.KEY)
    assert dispatch.sweep_in_turn() == Swept()


def test_cancels_what_is_overdue() -> None:
    late, early = timezone.now() + PAST, timezone.now() + timedelta(seconds=60)
    waiting = ExecutionFactory.create(cancel_at=late)
    running = active(cancel_at=late)
    in_time = active(cancel_at=early)
    over = ExecutionFactory.create(status="succeeded", cancel_at=late)
    assert dispatch.sweep() == Swept(cancelled=2)
    for execution in (waiting, running, in_time, over):
        execution.refresh_from_db()
    assert (waiting.status, running.status, in_time.status, over.status) == (
        "cancelled",
        "running",
        "running",
        "succeeded",
    )
    assert (running.cancel_requested, in_time.cancel_requested) == (True, False)
    sentence = "Cancelled by itself: it had not ended in the time given with the request."
    assert waiting.error == running.error == sentence
    assert dispatch.sweep() == Swept()


def test_worker_that_is_gone_costs_an_attempt() -> None:
    execution = active(lease_until=timezone.now() + PAST)
    assert dispatch.sweep() == Swept(retried=1, woken=1)
    execution.refresh_from_db()
    assert (execution.status, execution.failures, execution.attempt) == ("queued", 1, 1)
    assert execution.error == "The worker that ran it disappeared."


def test_third_worker_that_is_gone_is_the_last() -> None:
    execution = active(lease_until=timezone.now() + PAST, failures=2, attempt=3)
    logs.append(execution.pk, 3, [Line(1, 0, Stream.STDOUT, "last words")])
    assert dispatch.sweep() == Swept(ended=1)
    execution.refresh_from_db()
    assert (execution.status, execution.reason, execution.failures) == ("failed", "lost", 3)
    assert execution.error == "The worker that ran it disappeared. It was tried 3 times; run it again later."
    assert LogArchive.objects.get(execution=execution).line_count == 1


def test_its_container_is_killed_and_recorded() -> None:
    execution = active(lease_until=timezone.now() + PAST)
    engine = Engine(Found("c1", execution.pk, 1, 0))
    assert dispatch.sweep(engine) == Swept(retried=1, removed=1, woken=1)
    orphan = Orphan.objects.get()
    assert (orphan.container_id, orphan.execution_id, orphan.why) == ("c1", execution.pk, "Its execution is queued.")


def test_deadline_is_kept_although_the_worker_lives() -> None:
    execution = active(deadline_at=timezone.now() + PAST)
    engine = Engine(Found("c1", execution.pk, 1, 0))
    assert dispatch.sweep(engine) == Swept(ended=1, removed=1)
    execution.refresh_from_db()
    assert execution.status == "timed_out"
    assert engine.removed == ["c1"]


def test_start_that_takes_for_ever_is_tried_again() -> None:
    execution = active("starting", deadline_at=timezone.now() + PAST)
    assert dispatch.sweep() == Swept(retried=1, woken=1)
    execution.refresh_from_db()
    assert (execution.status, execution.error) == ("queued", "It did not start in time.")


def test_cancelled_while_its_worker_died() -> None:
    execution = active(lease_until=timezone.now() + PAST, cancel_requested=True, error="Cancelled.")
    dispatch.sweep()
    execution.refresh_from_db()
    assert (execution.status, execution.error) == ("cancelled", "Cancelled.")
    assert messages() == 0


def test_reaps_only_what_no_live_attempt_owns() -> None:
    mine, older = active(attempt=2), active(attempt=2)
    over = ExecutionFactory.create(status="succeeded", attempt=1)
    queued = ExecutionFactory.create(attempt=1)

    def found(handle: str, execution_id: UUID, attempt: int) -> Found:
        return Found(handle, execution_id, attempt, 0)

    engine = Engine(
        found("mine", mine.pk, 2),
        found("older", older.pk, 1),
        found("over", over.pk, 1),
        found("queued", queued.pk, 1),
        found("unknown", uuid4(), 1),
    )
    dispatch.sweep(engine)
    assert engine.removed == ["older", "over", "queued", "unknown"]


def test_a_container_that_cannot_be_removed_keeps_no_other_and_nothing_else() -> None:
    over = ExecutionFactory.create(status="succeeded", attempt=1)
    ExecutionFactory.create()
    engine = Engine(*(Found(handle, over.pk, 1, 0) for handle in ("stuck", "free")))
    assert dispatch.sweep(engine) == Swept(removed=1, woken=1)
    assert engine.removed == ["free"]
    assert Orphan.objects.get().container_id == "free"


def test_engine_that_is_away_stops_nothing_else() -> None:
    ExecutionFactory.create()
    assert dispatch.sweep(Engine(dead=True)) == Swept(woken=1)


def test_log_that_redis_did_not_give_is_archived_once_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    execution = active(deadline_at=timezone.now() + PAST)
    logs.append(execution.pk, 1, [Line(1, 0, Stream.STDOUT, "a")])

    def away(*args: object) -> None:
        raise redis.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(stream, "page_after", away)
        assert dispatch.sweep() == Swept(ended=1)
        assert dispatch.sweep() == Swept()
    assert dispatch.sweep() == Swept(archived=1)
    execution.refresh_from_db()
    assert (execution.status, execution.last_seq) == ("timed_out", 1)
    assert LogArchive.objects.get(execution=execution).line_count == 1
    assert dispatch.sweep() == Swept()


def test_a_worker_that_only_slept_adds_no_line_after_the_end() -> None:
    execution = active(deadline_at=timezone.now() + PAST)
    with logs.LogWriter(execution.pk, 1) as asleep:
        asleep.write(Stream.STDOUT, "before")
        eventually(lambda: logs.read(execution.pk).lines)
        dispatch.sweep()
        asleep.write(Stream.STDOUT, "after")
    assert [line.text for line in logs.read(execution.pk).lines] == ["before"]
    assert LogArchive.objects.get(execution=execution).line_count == 1
