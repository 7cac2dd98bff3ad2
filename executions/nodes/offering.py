"""What the nodes offer, for those who publish."""

from datetime import timedelta

from executions.clock import from_now
from executions.nodes.models import Node
from marketplace.catalogue.offers import Machine

# A node that was not heard of for this long is not counted on to come back.
REMEMBERED = timedelta(days=1)


def offered() -> list[Machine] | None:
    """Every node heard of lately, in service or not; None when there are none."""
    nodes = Node.objects.filter(last_seen_at__gt=from_now(-REMEMBERED)).values_list("labels", "memory_bytes")
    return [Machine(frozenset(labels), memory) for labels, memory in nodes] or None
