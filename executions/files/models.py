"""Files of people, and which runs they belong to."""

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from executions.models import Execution  # noqa: F401  named in the foreign key below


def private_name() -> str:
    """A name in the storage that nobody can guess."""
    return f"files/{secrets.token_urlsafe(32)}"


class FileQuerySet(models.QuerySet["File"]):
    """Files."""

    def there(self) -> "FileQuerySet":
        """Those that are whole and not deleted."""
        return self.filter(stored_at__isnull=False, deleted_at=None)

    def unused(self) -> "FileQuerySet":
        """Those that belong to no run."""
        return self.filter(uses=None, deleted_at=None)


class File(models.Model):
    """A file somebody uploaded, or that a run gave. The row is there before the content and goes after it, so that no
    content is ever without a row."""

    class Source(models.TextChoices):
        UPLOAD = "upload", "Uploaded"
        RESULT = "result", "Made by an agent"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="files")
    source = models.CharField(max_length=6, choices=Source.choices)
    name = models.CharField(max_length=200, help_text="As its owner or the agent called it.")
    media_type = models.CharField(max_length=127, help_text="By its content.")
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=200, unique=True, default=private_name, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    stored_at = models.DateTimeField(null=True, help_text="When all of it was there.")
    deleted_at = models.DateTimeField(null=True, help_text="When it was deleted; its content goes at once or soon.")

    objects = FileQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="file_of_user"),
            models.Index(fields=["deleted_at"], condition=models.Q(deleted_at__isnull=False), name="file_deleted"),
        ]

    def __str__(self) -> str:
        return f"File {self.pk}"


class FileUse(models.Model):
    """A run that took or gave a file. The content stays as long as one of its runs keeps its documents."""

    class Direction(models.TextChoices):
        INPUT = "input", "Input"
        OUTPUT = "output", "Output"

    execution = models.ForeignKey("executions.Execution", on_delete=models.CASCADE, related_name="file_uses")
    file = models.ForeignKey(File, on_delete=models.CASCADE, related_name="uses")
    direction = models.CharField(max_length=6, choices=Direction.choices)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["execution", "file", "direction"], name="one_use_of_a_file")
        ]

    def __str__(self) -> str:
        return f"{self.file_id} as {self.direction} of {self.execution_id}"
