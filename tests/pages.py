"""What tests of pages share: browsers that are signed in, and what a page or a redirect says."""

from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponseBase
from django.test import Client

from wallets.models import User

SignIn = Callable[[User], Client]


@pytest.fixture
def signed_in() -> SignIn:
    """`signed_in(user)` is a browser in which that user is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="wallets.signin.backends.WalletBackend")
        return client

    return sign_in


def said(response: HttpResponseBase) -> list[str]:
    """The messages that a redirect leaves for the next page."""
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


def text(response: HttpResponseBase) -> str:
    """The page's HTML with every run of whitespace as one space."""
    return " ".join(response.content.decode().split())  # type: ignore[attr-defined]
