"""Suspending accounts: every request, token and socket is refused from the next moment on."""

import structlog
from django.db import transaction
from django.utils import timezone

from wallets.models import User
from wallets.signin import presence

log = structlog.get_logger(__name__)


@transaction.atomic
def suspend(user: User, reason: str) -> bool:
    """Suspend; the reason is shown to the user. Returns False when the account was suspended already."""
    now = timezone.now()
    changed = User.objects.filter(pk=user.pk, is_suspended=False).update(
        is_suspended=True, suspended_reason=reason[:500], suspended_at=now
    )
    if not changed:
        return False
    # The flag alone refuses everything; the tokens also stay dead after the suspension is lifted.
    user.token_families.filter(revoked_at=None).update(revoked_at=now)
    presence.announce_end(user)
    log.warning("user_suspended", user_id=str(user.pk))
    return True


def unsuspend(user: User) -> bool:
    """Lift a suspension. Returns False when there was none."""
    changed = User.objects.filter(pk=user.pk, is_suspended=True).update(
        is_suspended=False, suspended_reason="", suspended_at=None
    )
    if changed:
        log.warning("user_unsuspended", user_id=str(user.pk))
    return bool(changed)
