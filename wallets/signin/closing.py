"""Deleting an account: the person goes, the ledger of purchases and executions stays."""

from collections.abc import Callable

import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from wallets.errors import StaffAccountError
from wallets.models import User
from wallets.signin import presence, sessions
from wallets.signin.models import technical_username

log = structlog.get_logger(__name__)

_subscribers: list[Callable[[User], None]] = []


def subscribe(subscriber: Callable[[User], None]) -> None:
    """Have the rooms above do their part, inside the transaction that deletes the account."""
    _subscribers.append(subscriber)


@transaction.atomic
def close(user: User) -> None:
    """Remove what says who the user is and everything that signs in; sessions and sockets end at once.

    The row stays, nameless, because purchases and executions refer to it. The wallets are free: whoever holds one may
    sign in anew, and finds what that wallet bought, because access is the chain's. Raises StaffAccountError.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.is_staff:
        raise StaffAccountError
    for subscriber in _subscribers:
        subscriber(user)
    sessions.revoke_all(user)
    presence.announce_end(user)
    user.token_families.all().delete()
    user.api_keys.all().delete()
    user.wallets.all().delete()
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    user.email, user.display_name, user.username = None, "", technical_username()
    user.last_login, user.is_active, user.closed_at = None, False, timezone.now()
    user.set_unusable_password()
    user.save()
    log.info("account_closed", user_id=str(user.pk))
