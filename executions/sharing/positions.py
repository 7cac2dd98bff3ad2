"""Where an execution stands in the queue."""

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Count, Min, Q

from executions.models import Execution, Turn

_NEVER = datetime.min.replace(tzinfo=UTC)


def position(execution: Execution) -> int | None:
    """Its place among all that wait, 1 being the next; None when it waits no more.

    People take turns: before somebody's third execution comes everybody's second. How long others run, and which nodes
    can run what, is not foreseen.
    """
    if execution.status != Execution.Status.QUEUED:
        return None
    before_me = Q(priority__gt=execution.priority) | Q(priority=execution.priority, pk__lt=execution.pk)
    own = Execution.objects.filter(user=execution.user_id, status=Execution.Status.QUEUED)
    mine = own.filter(before_me).count() + 1
    others = _others(execution)
    served = dict(Turn.objects.filter(user__in=[*others, execution.user_id]).values_list("user", "served_at"))
    oldest = own.aggregate(since=Min("queued_at"))["since"] or execution.queued_at
    my_turn = (served.get(execution.user_id, _NEVER), oldest)
    ahead = 0
    for user, (count, since) in others.items():
        their_turn = (served.get(user, _NEVER), since)
        ahead += min(count, mine if their_turn < my_turn else mine - 1)
    return ahead + mine


def _others(execution: Execution) -> dict[UUID, tuple[int, datetime]]:
    """How many each other person has in the queue that do not yield to this one, and since when."""
    rows = Execution.objects.filter(status=Execution.Status.QUEUED, priority__gte=min(execution.priority, 0))
    people = rows.exclude(user=execution.user_id).order_by().values_list("user")
    return {user: (count, since) for user, count, since in people.annotate(Count("pk"), Min("queued_at"))}
