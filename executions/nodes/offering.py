"""What the nodes offer together, for those who publish."""

from datetime import timedelta

from executions.clock import from_now
from executions.nodes.models import Node
from marketplace.catalogue.offers import Offer

# A node that was not heard of for this long is not counted on to come back.
REMEMBERED = timedelta(days=1)


def offered() -> Offer | None:
    """Of all nodes heard of lately, in service or not; None when there are none."""
    nodes = list(Node.objects.filter(last_seen_at__gt=from_now(-REMEMBERED)).values_list("labels", "memory_bytes"))
    if not nodes:
        return None
    return Offer(frozenset().union(*(labels for labels, _ in nodes)), max(memory for _, memory in nodes))
