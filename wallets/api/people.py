"""The signed-in person of an API request."""

from rest_framework.request import Request

from wallets.models import User


def signed_in(request: Request) -> User:
    """The user of an authenticated request."""
    assert isinstance(request.user, User)  # noqa: S101  the default permission has refused everybody else
    return request.user
