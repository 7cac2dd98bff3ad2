"""The signed-in person of a page's request."""

from django.db.models import prefetch_related_objects
from django.http import HttpRequest

from wallets.models import User


def signed_in(request: HttpRequest) -> User:
    """The user, with wallets at hand: every page shows the address. For views behind `login_required`."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101  login_required has seen to it
    prefetch_related_objects([user], "wallets")
    return user
