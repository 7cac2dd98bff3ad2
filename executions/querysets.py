"""Questions asked of the executions table."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.db import models

if TYPE_CHECKING:
    from executions.models import Execution  # noqa: F401  named in the base class below
    from wallets.models import User

UNFINISHED = ("queued", "starting", "running")


class ExecutionQuerySet(models.QuerySet["Execution"]):
    """Executions."""

    def unfinished(self) -> "ExecutionQuerySet":
        """Those queued or under way."""
        return self.filter(status__in=UNFINISHED)

    def visible_to(self, user: "User | AnonymousUser") -> "ExecutionQuerySet":
        """Those a person may see: their own, or all for staff who may view executions."""
        if not user.is_authenticated:
            return self.none()
        if user.acts_as_staff and user.has_perm("executions.view_execution"):
            return self.all()
        return self.filter(user=user)

    def with_names(self) -> "ExecutionQuerySet":
        """With agent and version, as every page and answer names them."""
        return self.select_related("agent", "version")
