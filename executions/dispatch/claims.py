"""A worker's hold on an execution: taking it, keeping it, giving it back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Case, DurationField, ExpressionWrapper, F, Q, When
from django.db.models.functions import Now
from django.db.models.lookups import LessThan

from executions import limits, notify
from executions.clock import ServerStart, from_now, seconds_from_now
from executions.dispatch import queue
from executions.dispatch.ending import end
from executions.models import Execution
from executions.querysets import ExecutionQuerySet
from executions.sharing import choosing
from executions.states import ACTIVE, Status, move

log = structlog.get_logger(__name__)
_ANY = Q()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the row says of a hold: whether it is still held, whether somebody wants the run cancelled, and whether its
    time to be cancelled has come without anybody having done so."""

    held: bool
    cancel_requested: bool
    overdue: bool = False


_GONE = Standing(held=False, cancel_requested=False)


def claim_next(node: str, worker: str, *, containers: bool = True) -> Execution | None:
    """Take what `node` should run next for `worker`; None when nothing that waits is for it now. Without `containers`
    only WebAssembly agents are taken."""
    if not waiting():
        return None
    with transaction.atomic():
        choosing.one_at_a_time()
        chosen = choosing.choose(node, containers=containers)
        execution = claim(chosen.execution, worker, node) if chosen else None
        if execution is not None and chosen is not None:
            execution.room = chosen.room
            choosing.served(execution.user_id)
    return execution


def waiting(node: str = "") -> bool:
    """Whether anything waits that might be run now, by whomever, or taken over on `node`."""
    if node and adoptable(node).exists():
        return True
    return Execution.objects.filter(status=Status.QUEUED, not_before__lte=Now()).exists()


def claim(execution_id: UUID, worker: str, node: str = "") -> Execution | None:
    """Take this queued execution for `worker`; None when it is not queued (any more).

    The conditional UPDATE lets one through, whatever else goes on. The attempt number grows with every claim and names
    the hold from here on.
    """
    with transaction.atomic(savepoint=False):
        taken = move(
            execution_id,
            Status.STARTING,
            attempt=F("attempt") + 1,
            node=node,
            worker=worker,
            container_id="",
            fed=False,
            lease_until=from_now(limits.LEASE),
            deadline_at=from_now(limits.START_WITHIN),
        )
        if not taken:
            return None
        execution = Execution.objects.select_related("version", "agent").get(pk=execution_id)
        transaction.on_commit(lambda: notify.changed(execution_id))
    return execution


def begin(execution_id: UUID, attempt: int, container_id: str, *, log_base: int = 0, fed: bool = False) -> bool:
    """The agent has started, after `log_base` lines of the log, and has its input if `fed`. False when not held."""
    began = move(
        execution_id,
        Status.RUNNING,
        held_by=attempt,
        container_id=container_id,
        log_base=log_base,
        fed=fed,
        started_at=Now(),
        deadline_at=seconds_from_now("deadline_seconds", limits.DEADLINE_GRACE),
    )
    if began:
        notify.changed(execution_id)
        return True
    # Asked again because the answer was lost, with the database's connection.
    mine = Execution.objects.filter(pk=execution_id, attempt=attempt, status=Status.RUNNING, container_id=container_id)
    return mine.exists()


def mark_fed(execution_id: UUID, attempt: int) -> None:
    """The agent has its whole input by now."""
    Execution.objects.filter(pk=execution_id, attempt=attempt, status=Status.RUNNING).update(fed=True)


def lapsed() -> Q:
    """Of executions whose workers did not renew their leases, though they could."""
    up: LessThan[Any] = LessThan(ServerStart(), from_now(-limits.RENEW_AFTER_RESTART))
    return Q(up, lease_until__lt=Now())


def adoptable(node: str) -> ExecutionQuerySet:
    """Runs on this node whose worker is gone while their agents go on."""
    return Execution.objects.filter(lapsed(), status=Status.RUNNING, node=node, fed=True)


def adopt_next(node: str, worker: str, held: Collection[UUID] = ()) -> Execution | None:
    """Take over a run on this node whose worker is gone; None when there is none. The agent goes on undisturbed.

    Those `held` by this worker it has still, although their leases have run out: it was the database that was gone.
    The new attempt number fences off the old worker, should it only have slept.
    """
    for execution in adoptable(node).exclude(pk__in=held).order_by("pk")[:10]:
        mine = adoptable(node).filter(pk=execution.pk, attempt=execution.attempt)
        if mine.update(attempt=F("attempt") + 1, worker=worker, lease_until=from_now(limits.LEASE)):
            log.info("execution_adopted", execution_id=str(execution.pk), worker=worker, left_by=execution.worker)
            notify.changed(execution.pk)
            return Execution.objects.select_related("version", "agent").get(pk=execution.pk)
    return None


def seconds_run(execution_id: UUID) -> float:
    """How long its agent has run by now, by the clock that its start was written down with."""
    ran = ExpressionWrapper(Now() - F("started_at"), output_field=DurationField())
    found: timedelta | None = Execution.objects.annotate(ran=ran).values_list("ran", flat=True).get(pk=execution_id)
    return found.total_seconds() if found else 0.0


def renew(holds: Mapping[UUID, int]) -> None:
    """Renew the leases of `holds` (execution -> attempt). A hold that is lost is left alone."""
    until = from_now(limits.LEASE)
    for execution_id, attempt in holds.items():
        Execution.objects.filter(pk=execution_id, attempt=attempt, status__in=ACTIVE).update(lease_until=until)


def standing(holds: Mapping[UUID, int]) -> dict[UUID, Standing]:
    """How each hold stands now, in one query."""
    rows = Execution.objects.filter(pk__in=holds).values_list(
        "pk", "attempt", "status", "cancel_requested", Case(When(cancel_at__lte=Now(), then=True), default=False)
    )
    found = {
        pk: Standing(attempt == holds[pk] and status in ACTIVE, cancel, overdue and not cancel)
        for pk, attempt, status, cancel, overdue in rows
    }
    return {execution_id: found.get(execution_id, _GONE) for execution_id in holds}


def give_back(
    execution_id: UUID,
    attempt: int,
    note: str,
    *,
    last_seq: int | None = None,
    delay: timedelta = timedelta(0),
    failed: bool = True,
    where: Q = _ANY,
) -> bool:
    """Put a held execution back into the queue, to be taken again after `delay`; False when the hold is lost.

    `failed` counts against MAX_INFRASTRUCTURE_FAILURES, `note` tells the next attempt's log why there is one, `where`
    adds conditions. When its owner has asked to cancel, it is cancelled instead.
    """
    changes: dict[str, object] = {
        "lease_until": None,
        "deadline_at": None,
        "started_at": None,
        "node": "",
        "worker": "",
        "container_id": "",
        "error": note,
        "not_before": from_now(delay),
    }
    if failed:
        changes["failures"] = F("failures") + 1
    if last_seq is not None:
        changes["last_seq"] = last_seq
    # The condition closes the race with a cancellation that arrives at this moment.
    returned = move(execution_id, Status.QUEUED, held_by=attempt, where=where & Q(cancel_requested=False), **changes)
    if returned:
        log.info("execution_given_back", execution_id=str(execution_id), attempt=attempt, note=note)
        notify.changed(execution_id)
        if not delay:
            transaction.on_commit(lambda: queue.wake())
        return True
    return end(execution_id, Status.CANCELLED, held_by=attempt, where=where & Q(cancel_requested=True))
