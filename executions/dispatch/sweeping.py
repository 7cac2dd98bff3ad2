"""What puts right that something died: a message, a worker, an engine. Safe to run anywhere, at any time, twice."""

from dataclasses import dataclass

import redis
import structlog
from django.db.models import Q
from django.db.models.functions import Now

from executions import limits
from executions.clock import from_now
from executions.connections import redis_client
from executions.dispatch import queue
from executions.dispatch.cancelling import cancel_overdue
from executions.dispatch.claims import give_back, lapsed
from executions.dispatch.ending import archive_left_behind, end
from executions.errors import RunnerError, RunnerUnavailableError
from executions.models import Execution, Node, Orphan
from executions.nodes.naming import this_node
from executions.runners.base import Found, Runner
from executions.states import ACTIVE, Status
from marketplace.catalogue import verdicts

log = structlog.get_logger(__name__)
BATCH = 500
# Scheduled tasks and every worker sweep; within this long (seconds) of one the others need not.
PAUSE = 5
KEY = "agentnexus:executions:swept"
LOST_NOTE = "The worker that ran it disappeared."
STUCK_NOTE = "It did not start in time."
NO_ENGINE = "The check waits for a machine with a container engine: none is in service."


@dataclass(slots=True)
class Swept:
    """What a sweep did."""

    woken: int = 0
    cancelled: int = 0
    retried: int = 0
    ended: int = 0
    removed: int = 0
    archived: int = 0


def sweep_in_turn(runner: Runner | None = None) -> Swept | None:
    """Sweep, unless somebody did within PAUSE; None then. So deadlines hold without scheduled tasks, too."""
    try:
        mine = redis_client().set(KEY, 1, nx=True, ex=PAUSE)
    except redis.RedisError:
        mine = True  # twice does no harm
    return sweep(runner) if mine else None


def sweep(runner: Runner | None = None) -> Swept:
    """Take executions from workers that are gone or stuck, cancel what is overdue, wake workers, archive logs left
    behind, and, with a `runner`, remove containers that belong to no execution under way."""
    swept = Swept()
    swept.cancelled = cancel_overdue()
    _expire_leases(swept)
    _enforce_deadlines(swept)
    if runner is not None:
        reap(runner, swept)
    _wake(swept)
    _archive_left_behind(swept)
    _explain_unchecked()
    if swept != Swept():
        log.info("executions_swept", **{name: getattr(swept, name) for name in Swept.__slots__})
    return swept


def reap(runner: Runner, swept: Swept) -> None:
    """Remove every container of ours whose attempt is not, or no longer, under way. A row exists and says `starting`
    before its container does, so a container without one is an orphan at any moment."""
    try:
        found = runner.containers()
        rows = Execution.objects.filter(pk__in={one.execution_id for one in found})
        known = {row[0]: row[1:] for row in rows.values_list("pk", "status", "attempt", "container_id")}
        for one in found:
            why = _orphaned(one, known.get(one.execution_id))
            if why and _removed(runner, one):
                swept.removed += 1
                _record(one, why)
    except RunnerError as exc:
        log.debug("engine_not_reaped", error=exc.message)  # a process without an engine sweeps too


def _removed(runner: Runner, one: Found) -> bool:
    """One that cannot be removed now must not keep the others, and is tried again."""
    try:
        runner.remove(one.handle)
    except RunnerUnavailableError:
        raise
    except RunnerError as exc:
        log.warning("orphan_left", execution_id=str(one.execution_id), container=one.handle[:12], error=exc.message)
        return False
    return True


def _orphaned(one: Found, known: tuple[str, int, str] | None) -> str:
    """Why nobody needs the container; empty when somebody does."""
    if known is None:
        return "There is no such execution."
    status, attempt, container = known
    if status not in ACTIVE:
        return f"Its execution is {status}."
    # One that was taken over has the attempt number of its first worker.
    return "" if one.handle == container or one.attempt == attempt else f"Attempt {attempt} is under way."


def _record(one: Found, why: str) -> None:
    log.warning("orphan_removed", execution_id=str(one.execution_id), attempt=one.attempt, why=why)
    Orphan.objects.create(
        node=this_node(), container_id=one.handle, execution_id=one.execution_id, attempt=one.attempt, why=why
    )


def _expire_leases(swept: Swept) -> None:
    gone = lapsed()  # checked again in the UPDATE: the worker may renew at this moment
    # Where the node lives, another of its workers goes on with it; only if none does, it is taken away.
    alive = Node.objects.alive().filter(engine_ok=True)
    resumable = Q(status=Status.RUNNING, fed=True, node__in=alive.values("pk"))
    gone &= ~(resumable & Q(lease_until__gt=from_now(-limits.ADOPT_WITHIN)))
    for execution in Execution.objects.filter(gone, status__in=ACTIVE).order_by("pk")[:BATCH]:
        _take_away(execution, gone, Execution.Reason.LOST, LOST_NOTE, swept)


def _enforce_deadlines(swept: Swept) -> None:
    """The worker renews its lease but does not end the run: it hangs, or its clock does."""
    late = Q(deadline_at__lt=Now())
    for execution in Execution.objects.filter(late, status__in=ACTIVE).order_by("pk")[:BATCH]:
        if execution.status == Status.STARTING:
            _take_away(execution, late, Execution.Reason.INFRASTRUCTURE, STUCK_NOTE, swept)
        else:
            note = f"The agent ran longer than the {execution.deadline_seconds} seconds it has."
            ended = end(execution.pk, Status.TIMED_OUT, held_by=execution.attempt, where=late, error=note)
            swept.ended += ended


def _take_away(execution: Execution, where: Q, reason: str, note: str, swept: Swept) -> None:
    """Another attempt, unless this was the last one allowed."""
    if execution.failures + 1 < limits.MAX_INFRASTRUCTURE_FAILURES:
        swept.retried += give_back(execution.pk, execution.attempt, note, where=where)
        return
    swept.ended += end(
        execution.pk,
        Status.FAILED,
        held_by=execution.attempt,
        where=where,
        reason=reason,
        error=f"{note} It was tried {limits.MAX_INFRASTRUCTURE_FAILURES} times; run it again later.",
        failures=execution.failures + 1,
    )


def _wake(swept: Swept) -> None:
    """Messages may have been lost. Where some wait, workers are busy and go on by themselves."""
    due = Execution.objects.filter(status=Status.QUEUED, not_before__lte=Now()).count()
    try:
        if due and queue.length() == 0:
            swept.woken = sum(queue.wake() for _ in range(min(due, queue.MOST_MESSAGES)))
    except redis.RedisError:
        return


def _explain_unchecked() -> None:
    """New versions wait for an engine; their creators should know."""
    if not Node.objects.able().exists():
        verdicts.note_waiting(NO_ENGINE)


def _archive_left_behind(swept: Swept) -> None:
    """Redis was away when these ended; it may be there now."""
    rows = Execution.objects.filter(log_left_behind=True).order_by("finished_at")
    for execution_id in rows.values_list("pk", flat=True)[:BATCH]:
        try:
            swept.archived += archive_left_behind(execution_id)
        except redis.RedisError:
            return
