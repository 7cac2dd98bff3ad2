"""Who may have a file: its owner, and staff who may see the documents of the runs it belongs to."""

from uuid import UUID

from executions.files.models import File
from wallets.models import User


def readable_file(user: User, file_id: UUID) -> File | None:
    """The file when it is there and `user` may have it."""
    files = File.objects.there()
    if user.acts_as_staff and user.has_perms(["executions.view_execution", "executions.view_documents"]):
        used = files.filter(pk=file_id, uses__isnull=False).first()
        if used is not None:
            return used
    return files.filter(pk=file_id, user=user).first()
