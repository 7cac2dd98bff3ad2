"""The states of an execution: one table, and the only function that moves a row from one to another."""

from typing import Any
from uuid import UUID

from django.db.models import Q

from executions.models import Execution

Status = Execution.Status

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.STARTING, Status.CANCELLED}),
    # Back to queued: the platform failed, not the agent. Not every run reaches `running`: an image may be missing.
    Status.STARTING: frozenset({Status.RUNNING, Status.QUEUED, Status.FAILED, Status.CANCELLED}),
    Status.RUNNING: frozenset(
        {Status.QUEUED, Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.CANCELLED},
    ),
    Status.SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.TIMED_OUT: frozenset(),
    Status.CANCELLED: frozenset(),
}
TERMINAL = frozenset(state for state, targets in TRANSITIONS.items() if not targets)
ACTIVE = frozenset({Status.STARTING, Status.RUNNING})
UNFINISHED = frozenset(TRANSITIONS) - TERMINAL


def sources(target: Status) -> frozenset[Status]:
    """The states from which `target` may be reached."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)


def move(
    execution_id: UUID, target: Status, *, held_by: int | None = None, where: Q | None = None, **changes: Any
) -> bool:
    """Move the row to `target` in one conditional UPDATE; False when the table does not allow it from where it is.

    `held_by` fences: a worker whose attempt number is not the row's any more changes nothing. `where` adds conditions.
    """
    rows = Execution.objects.filter(where or Q(), pk=execution_id, status__in=sources(target))
    if held_by is not None:
        rows = rows.filter(attempt=held_by)
    return rows.update(status=target, **changes) == 1
