"""Browser sessions: begun by a verified wallet or an e-mail login, listed, ended by the user."""

from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user, login, logout
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from wallets.errors import SessionNotFoundError
from wallets.models import BrowserSession, User
from wallets.signin import presence
from wallets.signin.backends import WALLET_BACKEND
from wallets.signin.client_ip import client_ip
from wallets.signin.proof import record_wallet

ADDRESS_KEY = "wallet_address"


def begin(request: HttpRequest, user: User, address: str) -> None:
    """Sign the browser in under a new session key, so that one planted or leaked before is worth nothing.

    A session that was there, whoever's it was, ends with its sockets.
    """
    end(request)
    login(request, user, backend=WALLET_BACKEND)
    request.session[ADDRESS_KEY] = address
    record_wallet(request, user, address)
    record(request, user, address)


def record(request: HttpRequest, user: User, address: str | None = None) -> None:
    """Note whose session this is and where it began, for the list of sessions."""
    if request.session.session_key is None:
        request.session.save()
    BrowserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "address": address,
            "ip": client_ip(request),
            "user_agent": request.headers.get("User-Agent", "")[:200],
        },
    )


def end(request: HttpRequest) -> None:
    """Sign the browser out: forget the session and close its sockets."""
    user, key = get_user(request), request.session.session_key
    logout(request)
    if isinstance(user, User) and key:
        BrowserSession.objects.filter(session_key=key).delete()
        presence.announce_end(user, presence.session_name(key))


def alive(user: User) -> QuerySet[BrowserSession]:
    """The user's sessions that have neither ended nor expired, newest first."""
    kept = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return user.browser_sessions.filter(session_key__in=kept).order_by("-created_at")


def revoke(user: User, session_id: UUID) -> None:
    """End one session of the user, wherever that browser is. Raises SessionNotFoundError."""
    found = user.browser_sessions.filter(pk=session_id).first()
    if found is None:
        raise SessionNotFoundError
    _forget(user, found)


def revoke_all(user: User, *, address: str | None = None, keep: str | None = None) -> None:
    """End the user's sessions: all, or those that `address` signed for; the one with the key `keep` stays."""
    found = user.browser_sessions.exclude(session_key=keep or "")
    for session in found if address is None else found.filter(address=address):
        _forget(user, session)


def clear_ended() -> int:
    """Delete the rows whose session is gone; returns how many."""
    return BrowserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()[0]


def _forget(user: User, session: BrowserSession) -> None:
    import_module(settings.SESSION_ENGINE).SessionStore(session.session_key).delete()
    session.delete()
    presence.announce_end(user, presence.session_name(session.session_key))
