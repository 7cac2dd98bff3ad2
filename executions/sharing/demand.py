"""What more workers would run: what waits, but not what a person's own limit holds back."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min
from django.db.models.functions import Now

from executions import limits
from executions.models import Execution, Turn
from executions.states import ACTIVE


@dataclass(frozen=True, slots=True)
class Demand:
    """`waiting` is the length of the queue. `runnable` of them could run at once, and `since` is when the one of these
    people began to wait who has been given nothing for longest; None when nobody waits for a worker."""

    waiting: int = 0
    runnable: int = 0
    since: datetime | None = None


def demand() -> Demand:
    """As of now."""
    rows = Execution.objects.order_by().values_list("user")
    active = dict(rows.filter(status__in=ACTIVE).annotate(Count("pk")))
    queued = list(
        rows.filter(status=Execution.Status.QUEUED, not_before__lte=Now()).annotate(Count("pk"), Min("queued_at"))
    )
    served = dict(Turn.objects.filter(user__in=[user for user, _, _ in queued]).values_list("user", "served_at"))
    most = limits.concurrent_per_user()
    free = [
        (min(count, most - active.get(user, 0)), max(since, served.get(user, since))) for user, count, since in queued
    ]
    able = [(count, since) for count, since in free if count > 0]
    return Demand(
        waiting=sum(count for _, count, _ in queued),
        runnable=sum(count for count, _ in able),
        since=min((since for _, since in able), default=None),
    )
