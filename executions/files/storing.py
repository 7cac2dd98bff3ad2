"""Taking files in: from people, and from agents."""

from typing import IO

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from executions.errors import FilesFullError, FileTooLargeError, FileTypeError, TooManyFilesError
from executions.files import media
from executions.files.cleaning import delete
from executions.files.models import File
from marketplace import contents
from marketplace.catalogue.file_members import FileMember
from wallets.models import User

log = structlog.get_logger(__name__)
_CHUNK = 256 * 1024
_ANY = FileMember("")


def upload(user: User, content: IO[bytes], name: str, member: FileMember = _ANY) -> File:
    """Keep what `user` sends, for use in a run within a day. `member` is what it is meant for.

    Raises FileTooLargeError, FileTypeError, TooManyFilesError, FilesFullError, StorageAwayError.
    """
    name = media.clean_name(name)
    seen = look(content, name)
    check(name, seen.size, seen.media_type, member)
    with transaction.atomic():
        # One at a time for each person: two at once would both see room for one more.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        _check_room(user, seen.size)
        file = _row(user, File.Source.UPLOAD, name, seen)
    return _fill(file, content)


def keep_result(user: User, content: IO[bytes], name: str, member: FileMember) -> File:
    """Keep what an agent made for `user`. Raises FileTooLargeError, FileTypeError, StorageAwayError."""
    seen = look(content, name)
    check(name, seen.size, seen.media_type, member)
    return _fill(_row(user, File.Source.RESULT, name, seen), content)


def check(name: str, size: int, media_type: str, member: FileMember) -> None:
    """Whether such a file may be used as `member`. Raises FileTooLargeError, FileTypeError."""
    most = min(member.max_bytes or settings.FILE_BYTES, settings.FILE_BYTES)
    if size > most:
        raise FileTooLargeError(f"{name} has {size:,} bytes; at most {most:,} are allowed.")
    if not media.fits(member.media_type, media_type):
        raise FileTypeError(f"{name} is {media_type} by its content; {member.media_type} is asked for.")


def look(content: IO[bytes], name: str) -> media.Look:
    """Read the content from its beginning to its end."""
    content.seek(0)
    return media.look(iter(lambda: content.read(_CHUNK), b""), name)


def check_space(user: User, size: int = 0) -> None:
    """Whether `user` may have `size` bytes more. What agents make counts when it is there. Raises FilesFullError."""
    most: int = settings.FILES_BYTES_PER_USER
    if not most:
        return
    taken: int = user.files.filter(deleted_at=None).aggregate(taken=Sum("size", default=0))["taken"]
    if taken + size > most:
        raise FilesFullError(
            f"Your files take {filesizeformat(taken)} of the {filesizeformat(most)} that you may have. "
            "Delete the documents of runs that you need no more."
        )


def _check_room(user: User, size: int) -> None:
    check_space(user, size)
    waiting = File.objects.unused().filter(user=user, source=File.Source.UPLOAD)
    there = waiting.aggregate(count=Count("pk"), size=Sum("size", default=0))
    if there["count"] >= settings.FILES_UNUSED or there["size"] + size > settings.FILES_UNUSED_BYTES:
        raise TooManyFilesError(
            "You have uploaded as many files as you may without running anything on them. "
            "Remove some, or use them; what is not used goes after a day."
        )


def _row(user: User, source: File.Source, name: str, seen: media.Look) -> File:
    return File.objects.create(
        user=user, source=source, name=name, media_type=seen.media_type, size=seen.size, sha256=seen.sha256
    )


def _fill(file: File, content: IO[bytes]) -> File:
    try:
        stored_as = contents.save(file.stored_as, content)
    except BaseException:
        delete([file.pk])
        raise
    file.stored_as, file.stored_at = stored_as, timezone.now()
    file.save(update_fields=["stored_as", "stored_at"])
    log.info("file_stored", file_id=str(file.pk), user_id=str(file.user_id), size=file.size, source=file.source)
    return file
