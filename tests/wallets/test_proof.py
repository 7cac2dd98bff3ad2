"""Changes of how one gets in ask for a recent proof of who one is, also of who has nothing but a wallet."""

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from eth_account import Account

from tests import second_factor
from tests.account_fixtures import ApiFor, sign_siwe
from tests.wallets.sign_in import ME, NONCE, WALLETS, Browser
from wallets.credentials import api_keys
from wallets.models import ApiKey, TokenFamily, User

pytestmark = pytest.mark.django_db
CONFIRM = "/api/v1/auth/siwe/confirm"
API_KEYS = "/api/v1/api-keys"
NEW_KEY = {"name": "nightly", "scopes": "agents:read", "days": "30"}
HOUR = 3600


@pytest.fixture
def stale(user: User) -> Browser:
    """A browser whose wallet signed an hour ago."""
    browser = Browser(user.account)  # type: ignore[attr-defined]
    browser.sign_in()
    grow_stale(browser)
    return browser


def grow_stale(browser: Browser) -> None:
    session = browser.client.session
    session["account_authentication_methods"] = [{"method": "wallet", "at": time.time() - HOUR}]
    session.save()


def confirm(browser: Browser, **changes: Any) -> Any:
    """The answer to the wallet's confirmation."""
    message = browser.ask(purpose="confirm")
    body = {"message": message, "signature": sign_siwe(browser.account, message), **changes}
    return browser.post(CONFIRM, body)


@pytest.mark.parametrize(
    "path",
    [
        *("/profile/security/keys/", "/profile/security/close/", "/profile/wallets/{address}/unlink/"),
        *("/profile/security/keys/{key}/rotate/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/"),
        *("/accounts/email/", "/accounts/password/set/"),
    ],
)
def test_a_page_that_changes_a_way_in_asks_first(path: str, stale: Browser, user: User) -> None:
    key = api_keys.create(user, "key", ["agents:read"]).key
    path = path.format(address=user.primary_address, key=key.pk)
    response = stale.post_form(path, {"word": "DELETE", **NEW_KEY, "email": "thief@example.org"})
    assert (response.status_code, response["Location"].split("?")[0]) == (302, "/profile/confirm/")
    assert list(ApiKey.objects.filter(user=user)) == [key]
    assert user.wallets.count() == 1
    assert not EmailAddress.objects.exists()


def test_what_was_begun_is_done_after_the_wallet_signed(stale: Browser, user: User) -> None:
    # given a form that was sent too late
    asked = stale.post_form("/profile/security/keys/", NEW_KEY)
    page = stale.client.get(asked["Location"])
    assert b"Sign with your wallet" in page.content
    # when the wallet signs and the page is loaded again
    assert confirm(stale).status_code == 204
    made = stale.client.get(asked["Location"])
    # then the key is there, in the same session
    assert made.status_code == 201
    assert b"anx_" in made.content
    assert ApiKey.objects.get(user=user).name == "nightly"
    assert stale.client.get(ME).status_code == 200


def test_the_api_says_what_to_do(stale: Browser, user: User) -> None:
    other = Browser(Account.create())
    key = api_keys.create(user, "key", ["agents:read"]).key
    answers = [
        stale.post(API_KEYS, {"name": "key", "scopes": ["agents:read"]}),
        stale.post(f"{API_KEYS}/{key.pk}/rotate"),
        stale.post(WALLETS, {"message": "x", "signature": "0x"}),
        stale.post(NONCE, {"address": other.account.address, "purpose": "link"}),
        stale.delete(f"{WALLETS}/{user.primary_address}"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
    assert confirm(stale).status_code == 204
    assert stale.post(API_KEYS, {"name": "key", "scopes": ["agents:read"]}).status_code == 201


def test_tokens_are_a_proof_while_they_are_fresh(api: ApiFor, user: User) -> None:
    client = api(user)
    body = {"name": "key", "scopes": ["agents:read"]}
    assert client.post(API_KEYS, body).status_code == 201
    family = TokenFamily.objects.get(user=user)
    TokenFamily.objects.filter(pk=family.pk).update(created_at=family.created_at - timedelta(hours=1))
    assert client.post(API_KEYS, body).json()["code"] == "reauthentication_required"
    # and there is no session to confirm
    assert client.post(CONFIRM, {"message": "x", "signature": "0x"}).json()["code"] == "session_only"


def test_another_wallet_or_another_text_confirms_nothing(stale: Browser, user: User, stranger: User) -> None:
    # a wallet of somebody else, who signs a message of this session's own
    foreign = Browser(stranger.account)  # type: ignore[attr-defined]
    message = stale.client.post(
        NONCE, {"address": stranger.primary_address, "purpose": "confirm"}, **stale.csrf()
    ).json()["message"]
    body = {"message": message, "signature": sign_siwe(foreign.account, message)}
    assert stale.post(CONFIRM, body).json()["code"] == "wallet_not_linked"
    # a message for signing in, and one that was used
    message = stale.ask()
    assert confirm(stale, message=message, signature=sign_siwe(stale.account, message)).status_code == 401
    used = stale.ask(purpose="confirm")
    body = {"message": used, "signature": sign_siwe(stale.account, used)}
    assert stale.post(CONFIRM, body).status_code == 204
    grow_stale(stale)
    assert stale.post(CONFIRM, body).json()["code"] == "siwe_nonce_unknown"
    assert stale.post(API_KEYS, {"name": "key", "scopes": ["agents:read"]}).status_code == 403


def test_who_has_a_second_factor_is_sent_to_it(user: User) -> None:
    second_factor.set_up(user)
    browser = Browser(user.account)  # type: ignore[attr-defined]
    browser.sign_in()
    assert browser.post_form("/profile/security/keys/", NEW_KEY)["Location"].startswith(reverse("mfa_reauthenticate"))
    # the wallet's signature does not stand for it
    assert confirm(browser).status_code == 204
    assert browser.client.get("/profile/confirm/?next=/profile/")["Location"].startswith(reverse("mfa_reauthenticate"))
    assert browser.post_form("/profile/security/keys/", NEW_KEY).status_code == 302
    assert not ApiKey.objects.filter(user=user).exists()
