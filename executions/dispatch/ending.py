"""The last write of an execution: its final state and its log, together or not at all."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import redis
import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from executions import logs, notify
from executions.files.using import bind
from executions.logs import Line
from executions.models import Execution, FileUse
from executions.states import Status, move
from marketplace.models import Agent

log = structlog.get_logger(__name__)


def end(
    execution_id: UUID,
    status: Status,
    *,
    held_by: int | None = None,
    where: Q | None = None,
    lines: Sequence[Line] | None = None,
    files: Sequence[UUID] = (),
    **changes: Any,
) -> bool:
    """Move the execution to a terminal `status` and archive its log; False when it is not ours to end.

    `lines` is the whole log; when not given, what Redis has. A log that cannot be had now is archived by the sweep.
    `files` are those it gave.
    """
    with transaction.atomic():
        ended = move(
            execution_id,
            status,
            held_by=held_by,
            where=where,
            finished_at=Now(),
            lease_until=None,
            deadline_at=None,
            **changes,
        )
        if not ended:
            return False
        if lines is None:
            # Its worker may still be writing: from here on no line gets in that the archive would lack.
            lines = _rest(execution_id)
        if lines:
            Execution.objects.filter(pk=execution_id).update(last_seq=lines[-1].seq)
            logs.archive(execution_id, lines)
        if files:
            bind(execution_id, list(files), FileUse.Direction.OUTPUT)
        if status == Status.SUCCEEDED:
            Agent.objects.filter(executions=execution_id).update(execution_count=F("execution_count") + 1)
        transaction.on_commit(lambda: _tell(execution_id, archived=bool(lines)))
    log.info("execution_ended", execution_id=str(execution_id), status=status.value, attempt=held_by)
    return True


def _tell(execution_id: UUID, *, archived: bool) -> None:
    notify.changed(execution_id)
    if archived:
        logs.forget(execution_id)


def archive_left_behind(execution_id: UUID) -> bool:
    """Archive the log of an ended execution that could not be had then; False when there is none (any more).
    Raises redis.RedisError."""
    lines = logs.collect_sealed(execution_id)
    changes = {"last_seq": lines[-1].seq} if lines else {}
    with transaction.atomic():
        # The condition closes the race with a deletion of the documents.
        left = Execution.objects.filter(pk=execution_id, log_left_behind=True)
        if not left.update(log_left_behind=False, **changes) or not lines:
            return False
        logs.archive(execution_id, lines)
        transaction.on_commit(lambda: logs.forget(execution_id))
    return True


def _rest(execution_id: UUID) -> list[Line]:
    """What Redis has of the log."""
    if not Execution.objects.filter(pk=execution_id, attempt__gt=0).exists():
        return []
    try:
        return logs.collect_sealed(execution_id)
    except redis.RedisError as exc:
        log.warning("log_left_behind", execution_id=str(execution_id), error=type(exc).__name__)
        Execution.objects.filter(pk=execution_id).update(log_left_behind=True)
        return []
