"""How much one may ask for: the queue's length, and what a person and an agent may have a day."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from executions import limits
from executions.errors import DailyQuotaError, QueueFullError, TooManyExecutionsError
from executions.models import AgentQuota, Execution
from executions.states import ACTIVE
from marketplace.models import Agent
from wallets.models import User

# Without better knowledge: a worker is free again within about this long (seconds).
_SOON = 15


@dataclass(frozen=True, slots=True)
class Quota:
    """What holds for an agent now: the creator's limits within the platform's. None: no limit."""

    concurrent: int | None
    daily: int | None
    daily_per_user: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person has used: runs of today (UTC), those that wait and those under way, each beside the most there may
    be. None: no limit."""

    today: int
    daily: int | None
    waiting: int
    under_way: int
    concurrent: int | None
    unfinished_most: int | None

    @property
    def unfinished(self) -> int:
        return self.waiting + self.under_way

    @property
    def left_today(self) -> int | None:
        return None if self.daily is None else max(self.daily - self.today, 0)


def standing(user: User) -> Standing:
    """How a person stands now, in one query."""
    own = Execution.objects.filter(user=user)
    waits, runs = Q(status=Execution.Status.QUEUED), Q(status__in=ACTIVE)
    counted = own.filter(_today() | waits | runs).aggregate(
        today=Count("pk", _today()), waiting=Count("pk", waits), under_way=Count("pk", runs)
    )
    return Standing(
        **counted,
        daily=limits.daily_per_user(),
        concurrent=_bounded(limits.concurrent_per_user()),
        unfinished_most=_bounded(limits.queued_per_user()),
    )


def _bounded(value: int) -> int | None:
    return None if value == limits.NO_LIMIT else value


def of_agent(agent: Agent) -> Quota:
    """The limits in force."""
    own = AgentQuota.objects.filter(agent=agent).first() or AgentQuota(agent=agent)
    return Quota(
        concurrent=_least(own.concurrent, limits.concurrent_per_agent()),
        daily=_least(own.daily, limits.daily_per_agent()),
        daily_per_user=own.daily_per_user,
    )


def check(user: User, agent: Agent) -> None:
    """Raise unless one more execution may be queued: QueueFullError, TooManyExecutionsError, DailyQuotaError.

    Call it with the person's row locked; the counts of an agent and of the whole queue may be passed by as many as ask
    at the same moment.
    """
    unfinished = Execution.objects.filter(user=user).unfinished().count()
    allowed = limits.queued_per_user()
    if unfinished >= allowed:
        raise TooManyExecutionsError(
            f"You have {unfinished:,} unfinished run{'' if unfinished == 1 else 's'}, as many as one may have. "
            "Wait for one to end, or cancel one.",
            retry_after=_SOON,
        )
    if Execution.objects.filter(status=Execution.Status.QUEUED).count() >= limits.queue_length():
        raise QueueFullError("Too many runs are waiting already. Try again in a minute.", retry_after=60)
    _check_day(user, agent)


def _check_day(user: User, agent: Agent) -> None:
    quota = of_agent(agent)
    for rows, most, sentence in (
        (Execution.objects.filter(user=user), limits.daily_per_user(), "You have started {} runs today"),
        (
            Execution.objects.filter(user=user, agent=agent),
            quota.daily_per_user,
            "You have started {} runs of this agent today",
        ),
        (Execution.objects.filter(agent=agent), quota.daily, "This agent has been run {} times today"),
    ):
        if most is not None and rows.filter(_today()).count() >= most:
            raise DailyQuotaError(
                f"{sentence.format(f'{most:,}')}, which is the most it may be. Counting starts again at 00:00 UTC.",
                retry_after=_until_midnight(),
            )


def _today() -> Q:
    """Since midnight (UTC), without those that the platform failed. Ids begin with the time, and are indexed with the
    person and the agent."""
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    failed = Q(reason__in=[Execution.Reason.INFRASTRUCTURE, Execution.Reason.LOST])
    return Q(pk__gte=first_id_at(midnight)) & ~failed


def first_id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _until_midnight() -> int:
    now = timezone.now().astimezone(UTC)
    tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((tomorrow - now).total_seconds()) + 1


def _least(*values: int | None) -> int | None:
    return min((value for value in values if value is not None), default=None)
