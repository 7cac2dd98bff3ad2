"""Cancelling, at any moment and as often as one likes."""

from uuid import UUID

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from executions import notify
from executions.dispatch.ending import end
from executions.errors import NotYoursError
from executions.models import Execution
from executions.states import ACTIVE, Status
from wallets.models import User

log = structlog.get_logger(__name__)
BATCH = 500
CANCELLED_BY_STAFF = "Stopped by the platform's staff."
CANCELLED = "Cancelled."


OVERDUE = "Cancelled by itself: it had not ended in the time given with the request."


def cancel(user: User, execution_id: UUID, reason: str = "") -> Execution:
    """Cancel an execution of `user`'s, or any when `user` is staff who may change executions; its owner reads `reason`.

    Queued: cancelled now. Under way: its worker is told to kill it. Ended: nothing happens. Returns the execution as it
    is then. Raises NotYoursError, Execution.DoesNotExist.
    """
    execution = Execution.objects.get(pk=execution_id)
    owner = execution.user_id == user.pk
    if not owner and not (user.acts_as_staff and user.has_perm("executions.change_execution")):
        raise NotYoursError("Only the person who started a run can cancel it.")
    note = CANCELLED if owner else f"{CANCELLED_BY_STAFF} {reason}".strip()
    _cancel(execution_id, note)
    log.info("execution_cancel_requested", execution_id=str(execution_id), user_id=str(user.pk), reason=reason)
    execution.refresh_from_db()
    return execution


def cancel_overdue() -> int:
    """Cancel what should have been cancelled by itself by now; how many these were."""
    due = Execution.objects.unfinished().filter(cancel_at__lte=Now(), cancel_requested=False)
    ids = list(due.values_list("pk", flat=True)[:BATCH])
    for execution_id in ids:
        _cancel(execution_id, OVERDUE)
    return len(ids)


def _cancel(execution_id: UUID, note: str) -> None:
    # A run may be claimed, or given back, between the two attempts; then one of the next ones meets it.
    for _ in range(5):
        if end(execution_id, Status.CANCELLED, where=Q(status=Status.QUEUED), error=note, cancel_requested=True):
            return
        # The first who asks says why.
        unasked = Execution.objects.filter(pk=execution_id, cancel_requested=False)
        if unasked.filter(status__in=ACTIVE).update(cancel_requested=True, error=note):
            notify.workers()
            notify.changed(execution_id)
            return
        if not unasked.unfinished().exists():
            return
