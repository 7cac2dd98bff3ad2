"""Signing in by wallet: sessions, tokens, first sign-in, races, limits, and sign-in when Redis is away."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import redis
from django.contrib.sessions.models import Session
from django.db import connection
from eth_account import Account
from pytest_django.fixtures import Settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.account_fixtures import ApiFor, sign_siwe
from tests.wallets.sign_in import LOGOUT, ME, NONCE, REFRESH, VERIFY, Browser, with_line
from wallets.errors import SignInError
from wallets.models import LinkedWallet, User
from wallets.signin import siwe, suspension


@pytest.mark.django_db
def test_the_challenge_is_the_whole_message_in_the_form_of_eip_4361(settings: Settings) -> None:
    settings.SIWE_SITES = ["https://agents.example"]
    browser = Browser(Account.from_key("0x" + "11" * 32))
    response = browser.client.post(NONCE, {"address": browser.account.address.lower()})
    body = response.json()
    issued = body["message"].split("Issued At: ")[1].split("\n")[0]
    expires = body["message"].split("Expiration Time: ")[1]
    assert body["message"] == (
        "agents.example wants you to sign in with your Ethereum account:\n"
        "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A\n"
        "\n"
        "Sign in to AgentNexus. This costs nothing and moves no funds.\n"
        "\n"
        "URI: https://agents.example\n"
        "Version: 1\n"
        "Chain ID: 31337\n"
        f"Nonce: {body['nonce']}\n"
        f"Issued At: {issued}\n"
        f"Expiration Time: {expires}"
    )
    assert len(body["nonce"]) == 32
    assert (datetime.fromisoformat(expires) - datetime.fromisoformat(issued)).total_seconds() == 300
    assert datetime.fromisoformat(body["expires_at"]).replace(microsecond=0) == datetime.fromisoformat(expires).replace(
        microsecond=0
    )
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_the_host_header_has_no_say_in_the_domain() -> None:
    browser = Browser()
    response = browser.client.post(NONCE, {"address": browser.account.address}, HTTP_HOST="127.0.0.1")
    assert response.json()["message"].startswith("localhost:8000 wants you")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("origin", "domain"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://localhost:8000", "localhost:8000"),
        ("https://evil.example", "localhost:8000"),
        ("null", "localhost:8000"),
    ],
)
def test_the_page_gets_its_own_domain_when_it_is_one_of_ours(origin: str, domain: str) -> None:
    browser = Browser()
    response = browser.client.post(NONCE, {"address": browser.account.address}, HTTP_ORIGIN=origin)
    assert response.json()["message"].startswith(f"{domain} wants you")
    signed = sign_siwe(browser.account, response.json()["message"])
    assert browser.answer(response.json()["message"], signed, mode="token").status_code == 200


@pytest.mark.django_db
def test_the_first_sign_in_makes_the_account_and_the_next_finds_it() -> None:
    browser = Browser()
    first = browser.sign_in()["user"]
    again = Browser(browser.account).sign_in(mode="token")["user"]
    assert first["id"] == again["id"]
    assert first["primary_address"] == browser.account.address
    assert (User.objects.count(), LinkedWallet.objects.count()) == (1, 1)
    user = User.objects.get()
    assert not user.has_usable_password()
    assert user.email is None
    assert user.wallets.get().last_used_at is not None


@pytest.mark.django_db
def test_session_mode_signs_the_browser_in_and_gives_no_tokens() -> None:
    browser = Browser()
    body = browser.sign_in()
    assert set(body) == {"user"}
    assert browser.client.get(ME).json()["primary_address"] == browser.account.address
    cookie = browser.client.cookies["sessionid"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"


@pytest.mark.django_db
def test_token_mode_gives_a_pair_and_no_session() -> None:
    browser = Browser()
    body = browser.sign_in(mode="token")
    assert set(body) == {"access", "refresh", "user"}
    assert "sessionid" not in browser.client.cookies
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_the_session_key_changes_at_sign_in() -> None:
    # given a browser with a session key that an attacker planted
    browser = Browser()
    browser.sign_in()
    planted = browser.client.cookies["sessionid"].value
    # when its owner signs in again
    browser.sign_in()
    # then the planted key is worth nothing
    assert browser.client.cookies["sessionid"].value != planted
    thief = Browser()
    thief.client.cookies["sessionid"] = planted
    assert thief.client.get(ME).status_code == 401


@pytest.mark.django_db
def test_signing_in_with_another_wallet_switches_the_user() -> None:
    browser = Browser()
    first = browser.sign_in()["user"]["id"]
    browser.account = Account.create()
    second = browser.sign_in()["user"]["id"]
    assert first != second
    assert browser.client.get(ME).json()["id"] == second


@pytest.mark.django_db
def test_session_mode_refuses_a_request_without_csrf_token() -> None:
    browser = Browser()
    message = browser.ask()
    body = {"message": message, "signature": sign_siwe(browser.account, message), "mode": "session"}
    response = browser.client.post(VERIFY, body)
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
    assert browser.client.get(ME).status_code == 401
    # and the nonce was not used up by it
    assert browser.client.post(VERIFY, body, **browser.csrf()).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_session_mode_refuses_another_origin_even_with_the_csrf_token(origin: str) -> None:
    browser = Browser()
    message = browser.ask()
    body = {"message": message, "signature": sign_siwe(browser.account, message), "mode": "session"}
    response = browser.client.post(VERIFY, body, HTTP_ORIGIN=origin, **browser.csrf())
    assert response.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", LOGOUT),
        ("patch", ME),
        ("post", "/api/v1/wallets"),
        ("delete", "/api/v1/wallets/0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"),
        ("post", "/api/v1/wallets/0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A/primary"),
        ("post", NONCE),
    ],
)
def test_a_session_changes_nothing_without_csrf_token(method: str, path: str) -> None:
    browser = Browser()
    browser.sign_in()
    response = getattr(browser.client, method)(path, {})
    assert response.status_code == 403
    assert "CSRF" in response.json()["detail"]


@pytest.mark.django_db
def test_logout_ends_the_session_everywhere_the_cookie_is_kept() -> None:
    browser = Browser()
    browser.sign_in()
    copy = browser.client.cookies["sessionid"].value
    assert browser.post(LOGOUT).status_code == 204
    assert browser.client.get(ME).status_code == 401
    thief = Browser()
    thief.client.cookies["sessionid"] = copy
    assert thief.client.get(ME).status_code == 401
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_logout_needs_somebody_signed_in(api: ApiFor) -> None:
    assert api(None).post(LOGOUT).status_code == 401


@pytest.mark.django_db
def test_a_suspended_account_is_told_why_and_not_signed_in(user: User) -> None:
    suspension.suspend(user, "Stolen images.")
    browser = Browser(user.account)  # type: ignore[attr-defined]
    for mode in ("session", "token"):
        response = browser.answer(browser.ask(), mode=mode)
        assert (response.status_code, response.json()["code"]) == (403, "account_suspended")
        assert response.json()["detail"].endswith("Reason: Stolen images.")


@pytest.mark.django_db
def test_a_closed_account_does_not_sign_in(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)
    browser = Browser(user.account)  # type: ignore[attr-defined]
    response = browser.answer(browser.ask(), mode="token")
    assert (response.status_code, response.json()["code"]) == (403, "account_closed")


@pytest.mark.django_db
def test_a_message_written_by_the_client_itself_is_accepted_when_every_field_is_right() -> None:
    browser = Browser()
    message = with_line(browser.ask(), "URI:", "URI: http://localhost:8000/")
    assert browser.answer("http://" + message, mode="token").status_code == 200


def test_of_fifty_simultaneous_replays_exactly_one_succeeds() -> None:
    # given one signed message
    account = Account.create()
    challenge = siwe.issue_nonce(account.address, 31337, "browser:one")
    signature = sign_siwe(account, challenge.message)
    barrier = threading.Barrier(50)

    def replay(_: int) -> str:
        barrier.wait(timeout=30)
        try:
            siwe.verify(challenge.message, signature, "browser:one")
        except SignInError as exc:
            return exc.code
        return "accepted"

    # when fifty threads send it at the same moment
    with ThreadPoolExecutor(50) as pool:
        outcomes = Counter(pool.map(replay, range(50)))

    # then one gets in
    assert outcomes == {"accepted": 1, "siwe_nonce_unknown": 49}


@pytest.mark.django_db(transaction=True)
def test_simultaneous_first_sign_ins_of_a_wallet_make_one_account() -> None:
    verified = siwe.VerifiedWallet(Account.create().address, 31337)
    barrier = threading.Barrier(8)

    def first(_: int) -> str:
        try:
            barrier.wait(timeout=30)
            return str(siwe.sign_in(verified).pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        users = set(pool.map(first, range(8)))
    assert len(users) == 1
    assert (User.objects.count(), LinkedWallet.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_too_many_challenges_for_one_address_have_to_wait(settings: Settings) -> None:
    settings.SIGN_IN_ATTEMPTS_PER_ADDRESS = 3
    browser = Browser()
    for _ in range(3):
        browser.ask()
    # another browser changes nothing, and neither does the spelling
    response = Browser().client.post(NONCE, {"address": browser.account.address.lower()})
    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert Browser().client.post(NONCE, {"address": Account.create().address}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (NONCE, {"address": "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"}),
        (VERIFY, {"message": "x", "signature": "0x", "mode": "token"}),
        (REFRESH, {"refresh": "x"}),
    ],
)
def test_too_many_attempts_of_one_client_have_to_wait(path: str, body: dict[str, str], settings: Settings) -> None:
    settings.SIGN_IN_ATTEMPTS_PER_IP = 3
    peer = f"198.51.100.{(NONCE, VERIFY, REFRESH).index(path)}"
    codes = [Browser().client.post(path, body, REMOTE_ADDR=peer).status_code for _ in range(4)]
    assert codes[3] == 429
    assert 429 not in codes[:3]
    # a forged forwarding header does not help
    forged = Browser().client.post(path, body, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR="203.0.113.9")
    assert forged.status_code == 429


def unreachable(*_: object) -> redis.Redis:
    """A connection to a port nobody listens on."""
    return redis.Redis(port=1, retry=Retry(NoBackoff(), 0))


@pytest.mark.django_db
@pytest.mark.parametrize("path", [NONCE, VERIFY, REFRESH])
def test_without_redis_nobody_signs_in(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser()
    message = browser.ask()
    body = {
        NONCE: {"address": browser.account.address},
        VERIFY: {"message": message, "signature": sign_siwe(browser.account, message), "mode": "token"},
        REFRESH: {"refresh": "x"},
    }[path]
    monkeypatch.setattr("wallets.rates.get_redis_connection", unreachable)
    response = browser.client.post(path, body)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")


@pytest.mark.django_db
def test_a_nonce_that_cannot_be_stored_or_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser()
    message = browser.ask()
    monkeypatch.setattr("wallets.signin.nonces.get_redis_connection", unreachable)
    asked = browser.client.post(NONCE, {"address": browser.account.address})
    answered = browser.answer(message, mode="token")
    assert [asked.json()["code"], answered.json()["code"]] == ["sign_in_unavailable"] * 2
    assert [asked.status_code, answered.status_code] == [503, 503]
