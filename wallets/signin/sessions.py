"""Browser sessions: begun by a verified wallet, ended by the user."""

from django.contrib.auth import get_user, login, logout
from django.http import HttpRequest

from wallets.models import User
from wallets.signin import presence
from wallets.signin.backends import WALLET_BACKEND

ADDRESS_KEY = "wallet_address"


def begin(request: HttpRequest, user: User, address: str) -> None:
    """Sign the browser in under a new session key, so that one planted or leaked before is worth nothing.

    A session that was there, whoever's it was, ends with its sockets.
    """
    end(request)
    login(request, user, backend=WALLET_BACKEND)
    request.session[ADDRESS_KEY] = address


def end(request: HttpRequest) -> None:
    """Sign the browser out: forget the session and close its sockets."""
    user, key = get_user(request), request.session.session_key
    logout(request)
    if isinstance(user, User) and key:
        presence.announce_end(user, presence.session_name(key))
