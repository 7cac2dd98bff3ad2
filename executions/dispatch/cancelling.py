"""Cancelling, at any moment and as often as one likes."""

from uuid import UUID

import structlog
from django.db.models import Q

from executions import notify
from executions.dispatch.ending import end
from executions.errors import NotYoursError
from executions.models import Execution
from executions.states import ACTIVE, Status
from wallets.models import User

log = structlog.get_logger(__name__)
CANCELLED_BY_STAFF = "Stopped by the platform's staff."
CANCELLED = "Cancelled."


def cancel(user: User, execution_id: UUID) -> Execution:
    """Cancel an execution of `user`'s, or any when `user` is staff who may change executions.

    Queued: cancelled now. Under way: the worker is asked to kill it and sees that within a second. Ended: nothing
    happens. Returns the execution as it is then. Raises NotYoursError, Execution.DoesNotExist.
    """
    execution = Execution.objects.get(pk=execution_id)
    owner = execution.user_id == user.pk
    if not owner and not (user.is_staff and user.has_perm("executions.change_execution")):
        raise NotYoursError("Only the person who started a run can cancel it.")
    note = CANCELLED if owner else CANCELLED_BY_STAFF
    # A run may be claimed, or given back, between the two attempts; then one of the next ones meets it.
    for _ in range(5):
        if end(execution_id, Status.CANCELLED, where=Q(status=Status.QUEUED), error=note, cancel_requested=True):
            break
        asked = Execution.objects.filter(pk=execution_id, status__in=ACTIVE).update(cancel_requested=True, error=note)
        if asked or not Execution.objects.filter(pk=execution_id).unfinished().exists():
            if asked:
                notify.changed(execution_id)
            break
    log.info("execution_cancel_requested", execution_id=str(execution_id), user_id=str(user.pk))
    execution.refresh_from_db()
    return execution
