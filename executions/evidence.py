"""What the runs of a buyer say about a dispute."""

from urllib.parse import urlencode

from django.db.models import Count, Max, Q
from django.urls import reverse

from executions.models import Execution
from marketplace.disputes.evidence import Evidence
from marketplace.models import Purchase


def runs_of(purchase: Purchase) -> list[Evidence]:
    """How often the buyer ran the agent, and with what success."""
    runs = Execution.objects.filter(user=purchase.buyer_id, agent=purchase.agent_id)
    since = Q(queued_at__gte=purchase.deposited_at) if purchase.deposited_at else Q()
    counts = runs.aggregate(
        total=Count("pk"),
        since=Count("pk", filter=since),
        succeeded=Count("pk", filter=since & Q(status=Execution.Status.SUCCEEDED)),
        failed=Count("pk", filter=since & Q(status__in=[Execution.Status.FAILED, Execution.Status.TIMED_OUT])),
        last=Max("queued_at"),
    )
    query = urlencode({"user__id__exact": str(purchase.buyer_id), "agent__id__exact": str(purchase.agent_id)})
    found = [
        Evidence(
            "Runs since this payment",
            f"{counts['since']}: {counts['succeeded']} succeeded, {counts['failed']} failed",
            f"{reverse('admin:executions_execution_changelist')}?{query}",
        ),
        Evidence("Runs by this buyer at all", str(counts["total"])),
    ]
    if counts["last"]:
        found.append(Evidence("Last run", f"{counts['last']:%Y-%m-%d %H:%M} UTC"))
    return found
