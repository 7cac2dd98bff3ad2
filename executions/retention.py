"""Deleting what people sent and got: on request, or after the time the settings say. The row stays, for the counts."""

from datetime import timedelta
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from executions.errors import NotFinishedError
from executions.files import cleaning
from executions.logs import stream
from executions.models import EgressRecord, Execution, LogArchive
from executions.states import TERMINAL

log = structlog.get_logger(__name__)
BATCH = 1_000


def delete_documents(execution_id: UUID) -> None:
    """Delete input, output, files, log, connections and the sentence about the end, which may name members of the
    output, of an ended execution; nothing happens when they are gone already.

    Raises NotFinishedError while it is under way: its worker still needs them.
    """
    if not _delete([execution_id]):
        execution = Execution.objects.only("finished_at").get(pk=execution_id)
        if not execution.is_finished:
            raise NotFinishedError("The run has not ended yet. Cancel it first, or wait for its end.")


def delete_old_documents() -> int:
    """Do so for all that ended more than EXECUTION_RETENTION_DAYS ago (0: never); the number of executions."""
    days = settings.EXECUTION_RETENTION_DAYS
    if days <= 0:
        return 0
    old = Execution.objects.filter(
        status__in=TERMINAL, finished_at__lt=timezone.now() - timedelta(days=days), documents_deleted_at=None
    ).order_by("pk")
    total = 0
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        total += _delete(ids)
    return total


def _delete(ids: list[UUID]) -> int:
    with transaction.atomic():
        deleted = Execution.objects.filter(pk__in=ids, status__in=TERMINAL, documents_deleted_at=None).update(
            input={}, output=None, error="", documents_deleted_at=timezone.now(), log_left_behind=False
        )
        if deleted:
            ended = Execution.objects.filter(pk__in=ids, status__in=TERMINAL)
            cleaning.release(ended.values_list("pk", flat=True))
            EgressRecord.objects.filter(execution__in=ids, execution__status__in=TERMINAL).delete()
            LogArchive.objects.filter(execution__in=ids, execution__status__in=TERMINAL).delete()
            transaction.on_commit(lambda: _drop_streams(ids))
    return deleted


def _drop_streams(ids: list[UUID]) -> None:
    for execution_id in ids:
        try:
            stream.delete(execution_id)
        except redis.RedisError as exc:  # it expires by itself within a day
            log.warning("log_stream_not_deleted", execution_id=str(execution_id), error=type(exc).__name__)
