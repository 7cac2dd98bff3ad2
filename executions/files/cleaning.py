"""Deleting files: with the documents of their runs, on request, and what nobody used.

A row is marked first and goes last; in between its content is removed. Whatever interrupts that, `clean` goes on.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from executions.files.models import File, FileUse
from marketplace import contents
from marketplace.errors import StorageAwayError
from wallets.models import User

log = structlog.get_logger(__name__)
# What is uploaded or made and belongs to no run for this long is deleted.
UNUSED_FOR = timedelta(days=1)
BATCH = 500


def release(execution_ids: Iterable[UUID]) -> None:
    """The documents of these runs are deleted: so are their files, but those that another run still has. To be called
    inside a transaction."""
    uses = FileUse.objects.filter(execution__in=list(execution_ids))
    ids = list(uses.values_list("file", flat=True).distinct())
    # In one order, and before the uses: a run that takes one of them at this moment waits, or we see its use.
    list(File.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    uses.delete()
    delete(ids)


def delete(ids: Iterable[UUID]) -> int:
    """Delete those of these files that no run has; how many."""
    with transaction.atomic():
        locked = list(File.objects.select_for_update().filter(pk__in=list(ids), deleted_at=None).order_by("pk"))
        # Asked after locking: whoever uses a file locks it first.
        used = set(FileUse.objects.filter(file__in=locked).values_list("file", flat=True))
        gone = [file.pk for file in locked if file.pk not in used]
        if gone:
            File.objects.filter(pk__in=gone).update(deleted_at=timezone.now())
            transaction.on_commit(lambda: _remove(gone))
    return len(gone)


def delete_of(user: User) -> None:
    """Delete all files of an account that is being closed, whatever has used them. Inside its transaction."""
    FileUse.objects.filter(file__user=user).delete()
    delete(user.files.values_list("pk", flat=True))


def clean() -> int:
    """Delete what nobody used for UNUSED_FOR and what closed accounts left, and finish what was interrupted; how many
    rows went."""
    old = File.objects.unused().filter(created_at__lt=timezone.now() - UNUSED_FOR)
    delete(old.order_by("pk").values_list("pk", flat=True)[:BATCH])
    left_by = File.objects.filter(user__closed_at__isnull=False, deleted_at=None).values("user")
    for user in User.objects.filter(pk__in=left_by)[:50]:
        with transaction.atomic():
            delete_of(user)
    left = File.objects.filter(deleted_at__lt=timezone.now()).order_by("deleted_at")
    return _remove(list(left.values_list("pk", flat=True)[:BATCH]))


def _remove(ids: list[UUID]) -> int:
    """Content, then row. Content that is gone already is no error to any storage."""
    removed = 0
    for file in File.objects.filter(pk__in=ids, deleted_at__isnull=False):
        try:
            contents.remove(file.stored_as)
        except StorageAwayError:
            log.warning("file_not_removed", file_id=str(file.pk))  # `clean` tries again
            continue
        file.delete()
        removed += 1
    return removed
