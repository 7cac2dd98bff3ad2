"""Who may use an agent."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser

from marketplace.catalogue.models import Agent
from marketplace.purchases.models import LIFETIME, Entitlement
from wallets.models import User

# The last second that datetime can hold; later expiries are shown as without end.
_LAST_SECOND = 253_402_300_799


class Reason(StrEnum):
    """Why access is given or not."""

    CREATOR = "creator"
    ENTITLEMENT = "entitlement"
    NONE = "none"
    EXPIRED = "expired"
    NO_WALLET = "no_wallet"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Access:
    """Whether the user may run the agent, until when (None with `allowed`: for ever), and why."""

    allowed: bool
    expires_at: datetime | None
    reason: Reason

    @property
    def is_lifetime(self) -> bool:
        """Access that no time ends."""
        return self.allowed and self.expires_at is None


def has_access(user: User | AnonymousUser, agent: Agent) -> Access:
    """Access by any of the user's addresses, as the entitlements contract has it; creators always have it."""
    if not isinstance(user, User):
        return Access(allowed=False, expires_at=None, reason=Reason.ANONYMOUS)
    if agent.creator_id == user.pk:
        return Access(allowed=True, expires_at=None, reason=Reason.CREATOR)
    addresses = user.addresses()
    if not addresses:
        return Access(allowed=False, expires_at=None, reason=Reason.NO_WALLET)
    latest = (
        Entitlement.objects.filter(network=agent.network, onchain_agent_id=agent.onchain_id, holder__in=addresses)
        .order_by("-expires_at")
        .values_list("expires_at", flat=True)
        .first()
    )
    if not latest:
        return Access(allowed=False, expires_at=None, reason=Reason.NONE)
    # The contract's rule: access ends at the second `expires_at`.
    if latest != LIFETIME and latest <= time.time():
        return Access(allowed=False, expires_at=moment(latest), reason=Reason.EXPIRED)
    return Access(allowed=True, expires_at=moment(latest), reason=Reason.ENTITLEMENT)


def moment(seconds: int) -> datetime | None:
    """Unix seconds as a time; None for what has no end."""
    return None if seconds > _LAST_SECOND else datetime.fromtimestamp(seconds, UTC)
