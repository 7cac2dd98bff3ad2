"""Questions asked of the nodes."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models

from executions.clock import from_now

if TYPE_CHECKING:
    from executions.nodes.models import Node  # noqa: F401  named in the base class below

# A node not heard of for this long is gone.
SILENT = timedelta(seconds=30)


class NodeQuerySet(models.QuerySet["Node"]):
    """Nodes."""

    def alive(self) -> "NodeQuerySet":
        """Those heard of lately, whatever their engine does."""
        return self.filter(last_seen_at__gt=from_now(-SILENT))

    def able(self) -> "NodeQuerySet":
        """Those that take executions now."""
        return self.alive().filter(engine_ok=True, state="ready")

    def gone(self) -> "NodeQuerySet":
        return self.filter(last_seen_at__lte=from_now(-SILENT))
