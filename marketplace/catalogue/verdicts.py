"""The verdict on a version's image. A machine that can pull it looks at it once, after it was published; until it is
accepted nobody buys or runs the version, and the one before it serves.

Who has such a machine subscribes, claims, and tells. A claim is a time until which nobody else tries, and its number
fences off who was too slow.
"""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from marketplace.catalogue.models import Agent, AgentVersion, AgentVersionQuerySet
from marketplace.errors import InvalidTransitionError, NotYoursError
from wallets.models import User

log = structlog.get_logger(__name__)
Verdict = AgentVersion.Verdict

# Longer than a pull may take.
CLAIM = timedelta(minutes=15)
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
# After that long without an answer of its registry a version is refused.
PATIENCE = timedelta(days=2)
REASON_LENGTH = 400

_subscribers: list[Callable[[], None]] = []


def subscribe(wake: Callable[[], None]) -> None:
    """Have `wake` called, after commit, whenever there is something to look at."""
    _subscribers.append(wake)


def first_verdict(kind: str) -> AgentVersion.Verdict:
    """Of a version that was just added: a module was looked at when it was brought."""
    return Verdict.ACCEPTED if kind == AgentVersion.Kind.WASM else Verdict.PENDING


def announce() -> None:
    """Tell the subscribers after commit."""
    for wake in _subscribers:
        transaction.on_commit(wake)


def waiting() -> bool:
    """Whether an image is to be looked at now."""
    return _due().exists()


def claim_next() -> AgentVersion | None:
    """The version that waits longest, which is the caller's to judge for CLAIM; None when none is due."""
    for version in _due().select_related("agent").order_by("check_at", "pk")[:5]:
        mine = _due().filter(pk=version.pk, check_attempts=version.check_attempts)
        if mine.update(check_at=timezone.now() + CLAIM, check_attempts=F("check_attempts") + 1, verdict_reason=""):
            version.check_attempts += 1
            return version
    return None


def accept(version: AgentVersion) -> bool:
    """It may be bought and run. False when somebody else holds the claim by now."""
    return _decide(version, Verdict.ACCEPTED, "")


def refuse(version: AgentVersion, reason: str) -> bool:
    """It can never be run, for this reason: a sentence for its creator."""
    return _decide(version, Verdict.REFUSED, reason)


def postpone(version: AgentVersion, reason: str) -> bool:
    """It could not be looked at now, for this reason. It is tried again after a pause that doubles, for PATIENCE."""
    if timezone.now() - (version.check_asked_at or version.created_at) > PATIENCE:
        return refuse(version, f"{reason} This was tried for {PATIENCE.days} days.")
    pause = min(FIRST_PAUSE * 2 ** min(version.check_attempts - 1, 10), LONGEST_PAUSE)
    return bool(_held(version).update(verdict_reason=reason[:REASON_LENGTH], check_at=timezone.now() + pause))


def give_back(version: AgentVersion) -> bool:
    """Nobody has looked at it: the next one may at once."""
    return bool(_held(version).update(check_at=Now()))


def note_waiting(reason: str) -> int:
    """Say of all that are due why nobody looks at them. Returns how many did not say so yet."""
    return _due().exclude(verdict_reason=reason).update(verdict_reason=reason[:REASON_LENGTH])


def ask_again(version: AgentVersion, by: User) -> AgentVersion:
    """Have a refused version looked at once more, for its creator and staff: its image may be there by now, or the
    password of its registry. Raises NotYoursError, InvalidTransitionError."""
    if version.agent.creator_id != by.pk and not by.acts_as_staff:
        raise NotYoursError("Only the agent's creator may do this.")
    with transaction.atomic():
        refused = AgentVersion.objects.filter(pk=version.pk, verdict=Verdict.REFUSED, status=AgentVersion.Status.LIVE)
        if not refused.update(
            verdict=Verdict.PENDING, verdict_reason="", check_at=Now(), check_asked_at=Now(), check_attempts=0
        ):
            raise InvalidTransitionError("Only a version that was refused can be checked again.")
        announce()
    version.refresh_from_db()
    return version


def newest_refused(agent: Agent) -> AgentVersion | None:
    """The agent's newest version that is not withdrawn, if it was refused."""
    newest = agent.versions.live().newest_first().first()
    return newest if newest is not None and newest.verdict == Verdict.REFUSED else None


def _due() -> AgentVersionQuerySet:
    open_now = Q(check_at=None) | Q(check_at__lte=Now())
    return AgentVersion.objects.live().filter(open_now, verdict=Verdict.PENDING)


def _held(version: AgentVersion) -> AgentVersionQuerySet:
    return AgentVersion.objects.filter(
        pk=version.pk, verdict=Verdict.PENDING, check_attempts=version.check_attempts, check_at__gt=Now()
    )


def _decide(version: AgentVersion, verdict: AgentVersion.Verdict, reason: str) -> bool:
    decided = bool(_held(version).update(verdict=verdict, verdict_reason=reason[:REASON_LENGTH], check_at=None))
    if decided:
        log.info("image_judged", version_id=str(version.pk), verdict=verdict.value, reason=reason)
    return decided
