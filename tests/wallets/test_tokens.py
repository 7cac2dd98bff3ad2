"""Tokens: what is refused, rotation, reuse, races, and revocation at once."""

import base64
import hmac
import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from tests.account_fixtures import ApiFor, user_with_wallet
from tests.wallets.sign_in import LOGOUT, ME, REFRESH, Browser
from wallets.credentials import tokens
from wallets.errors import TokenError
from wallets.models import TokenFamily, User
from wallets.signin import suspension
from wallets.tasks import clear_expired

pytestmark = pytest.mark.django_db


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(claims: dict[str, Any], key: str = "", algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key or settings.SECRET_KEY, algorithm=algorithm)


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def by_hand(algorithm: str, claims: dict[str, Any], digest: str, key: str | None = None) -> str:
    """A token made without a library, which would refuse to make some of these."""
    body = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(claims)}"
    raw = hmac.new((settings.SECRET_KEY if key is None else key).encode(), body.encode(), digest).digest()
    return f"{body}.{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


def get_me(token: str) -> Any:
    return APIClient().get(ME, HTTP_AUTHORIZATION=f"Bearer {token}")


MISUSES: dict[str, Callable[[dict[str, Any], str, str], str]] = {
    "algorithm none": lambda c, a, r: f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(c)}.",
    "algorithm None, signed": lambda c, a, r: f"{encoded({'alg': 'None'})}.{encoded(c)}.{a.split('.')[2]}",
    "algorithm HS512 with our key": lambda c, a, r: by_hand("HS512", c, "sha512"),
    "header says HS512, signature is HS256": lambda c, a, r: by_hand("HS512", c, "sha256"),
    "another key": lambda c, a, r: signed(c, key="k" * 64),
    "an empty key": lambda c, a, r: by_hand("HS256", c, "sha256", key=""),
    "the signature cut off": lambda c, a, r: a.rsplit(".", 1)[0] + ".",
    "the signature of another token": lambda c, a, r: f"{a.rsplit('.', 1)[0]}.{r.rsplit('.', 1)[1]}",
    "another subject": lambda c, a, r: signed({**c, "sub": str(uuid4())}),
    "no subject": lambda c, a, r: signed(without(c, "sub")),
    "a number as subject": lambda c, a, r: signed({**c, "sub": 1}),
    "another audience": lambda c, a, r: signed({**c, "aud": "someone-else"}),
    "no audience": lambda c, a, r: signed(without(c, "aud")),
    "another issuer": lambda c, a, r: signed({**c, "iss": "https://evil.example"}),
    "no issuer": lambda c, a, r: signed(without(c, "iss")),
    "no expiry": lambda c, a, r: signed(without(c, "exp")),
    "no token id": lambda c, a, r: signed(without(c, "jti")),
    "no type": lambda c, a, r: signed(without(c, "token_type")),
    "the refresh token": lambda c, a, r: r,
    "no family": lambda c, a, r: signed(without(c, "family")),
    "a family that does not exist": lambda c, a, r: signed({**c, "family": str(uuid4())}),
    "a family that is no id": lambda c, a, r: signed({**c, "family": "1 OR 1=1"}),
    "issued in the future": lambda c, a, r: signed({**c, "iat": c["iat"] + 3600}),
    "three dots": lambda c, a, r: "...",
    "nothing": lambda c, a, r: "",
    "not ASCII": lambda c, a, r: "ä.ö.ü",
    "very long": lambda c, a, r: a + "A" * 10_000,
}


@pytest.mark.parametrize("name", MISUSES)
def test_an_access_token_with_or_without_is_refused(name: str, user: User) -> None:
    # given a valid pair
    pair = tokens.issue(user)
    assert get_me(pair.access).status_code == 200
    # when it is tampered with
    forged = MISUSES[name](claims_of(pair.access), pair.access, pair.refresh)
    # then it is refused and says how to authenticate
    response = get_me(forged)
    assert response.status_code == 401
    assert response.json()["code"] in ("token_invalid", "token_revoked")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_another_users_family_does_not_make_one_that_user(user: User, stranger: User) -> None:
    mine, theirs = claims_of(tokens.issue(user).access), claims_of(tokens.issue(stranger).access)
    response = get_me(signed({**mine, "family": theirs["family"]}))
    assert (response.status_code, response.json()["code"]) == (401, "token_revoked")


def test_an_expired_access_token_says_so(user: User) -> None:
    claims = claims_of(tokens.issue(user).access)
    response = get_me(signed({**claims, "exp": claims["iat"] - 60}))
    assert (response.status_code, response.json()["code"]) == (401, "token_expired")


def test_the_claims_are_the_documented_ones(user: User) -> None:
    pair = tokens.issue(user)
    access, refresh = claims_of(pair.access), claims_of(pair.refresh)
    assert jwt.get_unverified_header(pair.access)["alg"] == "HS256"
    assert access["iss"] == "http://localhost:8000"
    assert access["aud"] == "agentnexus-api"
    assert access["sub"] == str(user.pk)
    assert access["exp"] - access["iat"] == 15 * 60
    assert refresh["exp"] - refresh["iat"] == 14 * 24 * 3600
    assert access["jti"] != refresh["jti"]
    assert access["family"] == refresh["family"] == str(user.token_families.get().pk)


@pytest.mark.parametrize("scheme", ["Token", "JWT", "Basic", ""])
def test_other_schemes_authenticate_nobody(scheme: str, user: User) -> None:
    token = tokens.issue(user).access
    response = APIClient().get(ME, HTTP_AUTHORIZATION=f"{scheme} {token}".strip())
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_a_token_in_the_address_authenticates_nobody(user: User) -> None:
    token = tokens.issue(user).access
    assert APIClient().get(f"{ME}?access_token={token}&token={token}").status_code == 401


def test_refreshing_gives_a_new_pair_and_uses_the_old_one_up(user: User) -> None:
    first = tokens.issue(user)
    response = APIClient().post(REFRESH, {"refresh": first.refresh})
    assert response.status_code == 200
    assert set(response.json()) == {"access", "refresh"}
    assert response["Cache-Control"] == "no-store"
    assert get_me(response.json()["access"]).status_code == 200
    assert response.json()["refresh"] != first.refresh


def test_using_a_refresh_token_twice_ends_the_whole_family(user: User) -> None:
    # given a pair that was refreshed once
    first = tokens.issue(user)
    second = APIClient().post(REFRESH, {"refresh": first.refresh}).json()
    other_program = tokens.issue(user)
    # when the old refresh token is used again
    reused = APIClient().post(REFRESH, {"refresh": first.refresh})
    # then everything of that sign-in is dead, the thief's part and the owner's
    assert (reused.status_code, reused.json()["code"]) == (401, "token_reused")
    assert get_me(second["access"]).json()["code"] == "token_revoked"
    assert get_me(first.access).json()["code"] == "token_revoked"
    assert APIClient().post(REFRESH, {"refresh": second["refresh"]}).json()["code"] == "token_revoked"
    # and another sign-in of the same user is not touched
    assert get_me(other_program.access).status_code == 200


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("access token", "token_invalid"),
        ("other key", "token_invalid"),
        ("other audience", "token_invalid"),
        ("expired", "token_expired"),
        ("never issued", "token_reused"),
        ("nonsense", "token_invalid"),
    ],
)
def test_what_is_no_refresh_token_in_force_is_refused(name: str, code: str, user: User) -> None:
    pair = tokens.issue(user)
    claims = claims_of(pair.refresh)
    raw = {
        "access token": pair.access,
        "other key": signed(claims, key="k" * 64),
        "other audience": signed({**claims, "aud": "someone-else"}),
        "expired": signed({**claims, "exp": claims["iat"] - 60}),
        "never issued": signed({**claims, "jti": uuid4().hex}),
        "nonsense": "a.b.c",
    }[name]
    response = APIClient().post(REFRESH, {"refresh": raw})
    assert (response.status_code, response.json()["code"]) == (401, code)


def test_a_family_ends_after_its_lifetime_however_often_refreshed(user: User) -> None:
    pair = tokens.issue(user)
    user.token_families.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert APIClient().post(REFRESH, {"refresh": pair.refresh}).json()["code"] == "token_revoked"
    assert get_me(pair.access).json()["code"] == "token_revoked"


def test_logout_revokes_the_pair_at_once_and_only_it(user: User, api: ApiFor) -> None:
    pair, other = tokens.issue(user), tokens.issue(user)
    assert APIClient().post(LOGOUT, HTTP_AUTHORIZATION=f"Bearer {pair.access}").status_code == 204
    assert get_me(pair.access).json()["code"] == "token_revoked"
    assert APIClient().post(REFRESH, {"refresh": pair.refresh}).json()["code"] == "token_revoked"
    assert get_me(other.access).status_code == 200


def test_suspension_refuses_tokens_and_sessions_from_the_next_request_on() -> None:
    # given a session and a token of one user
    browser = Browser()
    browser.sign_in()
    pair = Browser(browser.account).sign_in(mode="token")
    user = User.objects.get()
    # when the user is suspended
    assert suspension.suspend(user, "Spam.") is True
    # then neither works, nor refreshes
    assert browser.client.get(ME).status_code == 401
    assert get_me(pair["access"]).json()["code"] == "account_suspended"
    assert APIClient().post(REFRESH, {"refresh": pair["refresh"]}).json()["code"] == "account_suspended"
    # and lifting it brings the session back, but not the revoked tokens
    assert suspension.unsuspend(user) is True
    assert get_me(pair["access"]).json()["code"] == "token_revoked"
    assert browser.client.get(ME).status_code == 200


def test_suspending_twice_changes_the_first_reason_not(user: User) -> None:
    assert suspension.suspend(user, "First.") is True
    assert suspension.suspend(user, "Second.") is False
    user.refresh_from_db()
    assert (user.is_suspended, user.suspended_reason) == (True, "First.")
    assert user.suspended_at is not None
    assert suspension.unsuspend(user) is True
    assert suspension.unsuspend(user) is False


def test_a_closed_account_is_refused_on_every_request(user: User) -> None:
    pair = tokens.issue(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert get_me(pair.access).status_code == 401
    assert APIClient().post(REFRESH, {"refresh": pair.refresh}).status_code == 401


def test_an_invalid_token_is_refused_even_beside_a_valid_session() -> None:
    browser = Browser()
    browser.sign_in()
    assert browser.client.get(ME, HTTP_AUTHORIZATION="Bearer x.y.z").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_refreshes_one_gets_the_pair_and_the_family_ends() -> None:
    pair = tokens.issue(user_with_wallet())
    barrier = threading.Barrier(8)

    def refresh(_: int) -> str:
        try:
            barrier.wait(timeout=30)
            tokens.rotate(pair.refresh)
        except TokenError as exc:
            return "refused" if exc.code in ("token_reused", "token_revoked") else exc.code
        finally:
            connection.close()
        return "rotated"

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(refresh, range(8)))
    assert outcomes == {"rotated": 1, "refused": 7}
    assert TokenFamily.objects.get().revoked_at is not None


def test_a_key_of_another_installation_is_worth_nothing_here(user: User, settings: Settings) -> None:
    # given a token whose issuer is another site with the same secret
    claims = {**claims_of(tokens.issue(user).access), "iss": "https://staging.example"}
    assert get_me(signed(claims)).json()["code"] == "token_invalid"


def test_only_what_ended_long_ago_is_forgotten(user: User) -> None:
    # given families in every state
    now = timezone.now()
    states = {
        "alive": {},
        "expired yesterday": {"expires_at": now - timedelta(days=1)},
        "expired long ago": {"expires_at": now - timedelta(days=31)},
        "revoked yesterday": {"revoked_at": now - timedelta(days=1)},
        "revoked long ago": {"revoked_at": now - timedelta(days=31)},
        "not refreshed for 43 days": {"last_used_at": now - timedelta(days=43)},
        "not refreshed for 45 days": {"last_used_at": now - timedelta(days=45)},
    }
    for name, columns in states.items():
        tokens.issue(user, user_agent=name)
        user.token_families.filter(user_agent=name).update(**columns)
    # when the chore runs
    clear_expired()
    # then what nobody needs any more is gone
    assert set(user.token_families.values_list("user_agent", flat=True)) == {
        "alive",
        "expired yesterday",
        "revoked yesterday",
        "not refreshed for 43 days",
    }
