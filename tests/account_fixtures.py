"""Fixtures about users, loaded by tests/conftest.py: `user`, `stranger`, `staff`, `api`."""

import time
from collections.abc import Callable, Iterator

import pytest
from channels.layers import channel_layers
from django.core.cache import cache
from django.test import Client
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from rest_framework.test import APIClient

from tests.factories.wallets import LinkedWalletFactory, StaffFactory
from wallets.credentials import tokens
from wallets.models import User

ApiFor = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _no_spent_limits() -> None:
    """Rate limits count in Redis, which the tests of a worker share."""
    cache.clear()


@pytest.fixture(autouse=True)
def _channel_layer_of_its_own() -> Iterator[None]:
    """A channel layer belongs to one event loop, and every asynchronous test has another."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture(autouse=True)
def _forced_logins_are_whole_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """`force_login` skips the way in, for staff including the second factor that the administration asks for.

    Tests of the second factor sign in by the pages instead.
    """
    forced = Client.force_login

    def force_login(client: Client, user: User, backend: str | None = None) -> None:
        forced(client, user, backend)
        session = client.session
        session["account_authentication_methods_user"] = str(user.pk)
        method = {"method": "mfa", "type": "totp"} if user.is_staff else {"method": "wallet"}
        session["account_authentication_methods"] = [{**method, "at": time.time()}]
        session.save()

    monkeypatch.setattr(Client, "force_login", force_login)


@pytest.fixture
def user(db: None) -> User:
    """Somebody with one wallet; `user.account` signs for it."""
    return user_with_wallet()


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody else with one wallet."""
    return user_with_wallet()


@pytest.fixture
def staff(db: None) -> User:
    """An administrator who enters by e-mail."""
    return StaffFactory.create()


@pytest.fixture
def api() -> ApiFor:
    """`api(user)` is an API client with that user's access token, `api(None)` an anonymous one.

    Who acts as staff comes with a browser's session: tokens have no such rights.
    """

    def client_for(user: User | None) -> APIClient:
        if user is not None and user.acts_as_staff:
            browser = APIClient()
            browser.force_login(user, "wallets.signin.backends.WalletBackend")
            return browser
        client = APIClient(enforce_csrf_checks=True)
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(user)}")
        return client

    return client_for


def user_with_wallet() -> User:
    """A new user with one wallet, whose keys are `user.account`."""
    wallet = LinkedWalletFactory.create()
    found: User = wallet.user
    found.account = wallet.account  # type: ignore[attr-defined]
    return found


def access_token(user: User) -> str:
    """A real access token of a family of its own."""
    return tokens.issue(user).access


def sign_siwe(account: LocalAccount, message: str) -> str:
    """What a wallet answers to personal_sign."""
    return "0x" + bytes(account.sign_message(encode_defunct(text=message)).signature).hex()
