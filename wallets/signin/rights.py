"""Members of staff have their rights only with a second factor in this very session, on every page and in the API."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from allauth.account.authentication import get_authentication_records
from asgiref.sync import iscoroutinefunction
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject

from wallets.models import User


@sync_and_async_middleware
def StaffMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:  # noqa: N802  as Django's
    """Gives `request.user.acts_as_staff` its value, when and if somebody looks at the user."""

    def prepare(request: HttpRequest) -> None:
        found = request.user
        request.user = SimpleLazyObject(lambda: with_rights(found, request.session))  # type: ignore[assignment]

    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> Any:
            prepare(request)
            return await get_response(request)

        return asynchronous

    def synchronous(request: HttpRequest) -> Any:
        prepare(request)
        return get_response(request)

    return synchronous


def with_rights(user: User | AnonymousUser, session: SessionBase) -> User | AnonymousUser:
    """The same user, who acts as staff if this session says so."""
    if isinstance(user, User):
        user.acts_as_staff = user.is_active and user.is_staff and _used_second_factor(user, session)
    return user


def _used_second_factor(user: User, session: SessionBase) -> bool:
    """Whether a code or a passkey was given in this session. A password or a wallet alone does not count."""
    records = get_authentication_records(SimpleNamespace(session=session), user)
    return any(record.get("method") == "mfa" for record in records)
