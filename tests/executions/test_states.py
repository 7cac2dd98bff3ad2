"""The table of states, exhaustively."""

import itertools
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from executions.models import Execution
from executions.states import ACTIVE, TERMINAL, TRANSITIONS, UNFINISHED, Status, move
from tests.factories.executions import ExecutionFactory

pytestmark = pytest.mark.django_db

ALLOWED = {
    ("queued", "starting"),
    ("queued", "cancelled"),
    ("starting", "running"),
    ("starting", "queued"),
    ("starting", "failed"),
    ("starting", "cancelled"),
    ("running", "queued"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "timed_out"),
    ("running", "cancelled"),
}


def execution_in(status: str, **changes: object) -> Execution:
    reason = Execution.Reason.EXIT if status == Status.FAILED else ""
    return ExecutionFactory.create(status=status, reason=reason, **changes)


@pytest.mark.parametrize(("source", "target"), list(itertools.product(Status, Status)))
def test_every_pair(source: Status, target: Status) -> None:
    execution = execution_in(source)
    changes: dict[str, Any] = {
        "finished_at": timezone.now() if target in TERMINAL else None,
        "reason": "exit" if target == Status.FAILED else "",
    }
    moved = move(execution.pk, target, **changes)
    execution.refresh_from_db()
    assert moved is ((source.value, target.value) in ALLOWED)
    assert execution.status == (target if moved else source)


def test_groups() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {"queued", "starting", "running"} == UNFINISHED
    assert {"starting", "running"} == ACTIVE
    assert {"succeeded", "failed", "timed_out", "cancelled"} == TERMINAL


def test_an_older_attempt_moves_nothing() -> None:
    execution = execution_in(Status.RUNNING, attempt=3)
    assert not move(execution.pk, Status.QUEUED, held_by=2)
    assert not move(execution.pk, Status.QUEUED, held_by=4)
    assert move(execution.pk, Status.QUEUED, held_by=3)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "succeeded", "finished_at": None},
        {"status": "running", "finished_at": timezone.now()},
        {"status": "failed", "reason": "", "finished_at": timezone.now()},
    ],
)
def test_database_refuses_rows_that_contradict_themselves(changes: dict[str, object]) -> None:
    execution = execution_in(Status.RUNNING)
    with pytest.raises(IntegrityError), transaction.atomic():
        Execution.objects.filter(pk=execution.pk).update(**changes)
