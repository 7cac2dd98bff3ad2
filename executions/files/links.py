"""Addresses of files that hold for a few minutes, for whoever was given them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from executions.errors import LinkError
from executions.files.media import ANYTHING
from executions.files.models import File
from marketplace.contents import storage

_SALT = "executions.files"
# What a browser may show at our address: it runs in none of these.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class Link:
    """An absolute address, and until when it holds."""

    url: str
    expires_at: datetime


def download(file: File) -> Link:
    """Where the file can be saved from. In a bucket it comes from there."""
    seconds: int = settings.FILE_URL_SECONDS
    expires = timezone.now() + timedelta(seconds=seconds)
    if settings.FILES_S3_BUCKET:
        answer = {"ResponseContentType": ANYTHING, "ResponseContentDisposition": disposition(file)}
        url: str = storage().url(file.stored_as, parameters=answer, expire=seconds)  # type: ignore[call-arg]
        return Link(url, expires)
    return Link(settings.SITE_URL + path(file), expires)


def path(file: File, *, inline: bool = False) -> str:
    """The signed address on this site: to save the file, or `inline` to show an image."""
    token = signing.dumps({"file": str(file.pk), "inline": inline}, salt=_SALT)
    return reverse("executions:signed-file", args=[token])


def open_link(token: str) -> tuple[File, bool]:
    """The file of a signed address, and whether it is to be shown. Raises LinkError."""
    try:
        said = signing.loads(token, salt=_SALT, max_age=settings.FILE_URL_SECONDS)
        file = File.objects.there().filter(pk=UUID(said["file"])).first()
    except signing.SignatureExpired:
        raise LinkError("This address held for some minutes only. Open the file from its run again.") from None
    except (signing.BadSignature, KeyError, ValueError, TypeError):
        raise LinkError("This is not the address of a file.", code="bad_link") from None
    if file is None:
        raise LinkError("This file was deleted.")
    return file, bool(said["inline"]) and file.media_type in IMAGES


def disposition(file: File, *, inline: bool = False) -> str:
    """The Content-Disposition header."""
    return content_disposition_header(not inline, file.name) or "attachment"
