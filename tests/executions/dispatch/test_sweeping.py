"""What the sweep puts right."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from executions import dispatch, logs
from executions.connections import redis_client
from executions.dispatch.sweeping import Swept
from executions.errors import RunnerUnavailableError
from executions.logs import Line, Stream
from executions.models import Execution, LogArchive
from executions.runners.base import Control, Found, RunOutcome, RunSpec, Sink
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
        self.removed.append(handle)

    def run(self, spec: RunSpec, sink: Sink, control: Control) -> RunOutcome:
        raise AssertionError


def sent() -> list[str]:
    """The ids waiting in the broker's queue."""
    import base64

    bodies = [
        json.loads(base64.b64decode(json.loads(raw)["body"])) for raw in redis_client().lrange("executions", 0, -1)
    ]
    return [body[0][0] for body in bodies]


def active(status: str = "running", **changes: Any) -> Execution:
    now = timezone.now()
    values: dict[str, Any] = {
        "attempt": 1,
        "lease_until": now + timedelta(seconds=20),
        "deadline_at": now + timedelta(seconds=60),
    }
    return ExecutionFactory.create(status=status, **(values | changes))


def test_nothing_to_do() -> None:
    ExecutionFactory.create()
    active()
    ExecutionFactory.create(status="succeeded")
    assert dispatch.sweep(Engine()) == Swept()
    assert sent() == []


def test_sends_again_what_nobody_picked_up_and_then_waits() -> None:
    execution = ExecutionFactory.create(send_at=timezone.now() + PAST)
    assert dispatch.sweep() == Swept(sent=1)
    assert sent() == [str(execution.pk)]
    assert dispatch.sweep() == Swept()


def test_waits_longer_while_messages_pile_up() -> None:
    redis_client().lpush("executions", "waiting")
    execution = ExecutionFactory.create(send_at=timezone.now() + PAST)
    dispatch.sweep()
    execution.refresh_from_db()
    assert execution.send_at - timezone.now() > timedelta(seconds=100)


def test_worker_that_is_gone_costs_an_attempt() -> None:
    execution = active(lease_until=timezone.now() + PAST)
    assert dispatch.sweep() == Swept(retried=1, sent=1)
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


def test_its_container_is_killed_before_it_is_sent_again() -> None:
    execution = active(lease_until=timezone.now() + PAST)
    engine = Engine(Found("c1", execution.pk, 1, 0))
    seen: list[list[str]] = []
    engine.remove = lambda handle: seen.append(sent())  # type: ignore[method-assign]
    assert dispatch.sweep(engine) == Swept(retried=1, removed=1, sent=1)
    assert seen == [[]]


def test_deadline_is_kept_although_the_worker_lives() -> None:
    execution = active(deadline_at=timezone.now() + PAST)
    engine = Engine(Found("c1", execution.pk, 1, 0))
    assert dispatch.sweep(engine) == Swept(ended=1, removed=1)
    execution.refresh_from_db()
    assert execution.status == "timed_out"
    assert engine.removed == ["c1"]


def test_start_that_takes_for_ever_is_tried_again() -> None:
    execution = active("starting", deadline_at=timezone.now() + PAST)
    assert dispatch.sweep() == Swept(retried=1, sent=1)
    execution.refresh_from_db()
    assert (execution.status, execution.error) == ("queued", "It did not start in time.")


def test_cancelled_while_its_worker_died() -> None:
    execution = active(lease_until=timezone.now() + PAST, cancel_requested=True, error="Cancelled.")
    dispatch.sweep()
    execution.refresh_from_db()
    assert (execution.status, execution.error) == ("cancelled", "Cancelled.")
    assert sent() == []


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


def test_engine_that_is_away_stops_nothing_else() -> None:
    ExecutionFactory.create(send_at=timezone.now() + PAST)
    assert dispatch.sweep(Engine(dead=True)) == Swept(sent=1)


def test_log_left_in_redis_is_archived() -> None:
    execution = ExecutionFactory.create(status="failed", reason="lost", attempt=1, last_seq=1)
    logs.append(execution.pk, 1, [Line(1, 0, Stream.STDOUT, "a")])
    assert dispatch.sweep() == Swept(archived=1)
    assert LogArchive.objects.get(execution=execution).line_count == 1
    assert dispatch.sweep() == Swept()
