"""API keys: shown once, hashed, scoped by route, rotated with an overlap, revoked; and what none of them may do."""

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from config.api.scopes import ROUTES
from tests.account_fixtures import ApiFor, user_with_wallet
from tests.wallets.sign_in import LOGOUT, ME, WALLETS
from wallets.api.scopes import ANY
from wallets.credentials import api_keys, tokens
from wallets.credentials.models import Scope
from wallets.errors import ApiKeyError
from wallets.models import ApiKey, User
from wallets.signin import suspension

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/api-keys"
EVERY_SCOPE = [scope.value for scope in Scope]


def with_key(text: str) -> APIClient:
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def test_a_key_is_shown_once_and_kept_as_a_hash(user: User, api: ApiFor) -> None:
    # when a user makes a key
    response = api(user).post(KEYS, {"name": "CI", "scopes": ["executions:run", "agents:read", "agents:read"]})
    # then the answer carries its text
    assert response.status_code == 201
    body = response.json()
    assert re.fullmatch(r"anx_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", body["key"])
    assert body["scopes"] == ["agents:read", "executions:run"]
    assert (body["name"], body["last_used_at"], body["expires_at"], body["rotated"]) == ("CI", None, None, False)
    assert response["Cache-Control"] == "no-store"
    # and nothing else does
    key, secret = ApiKey.objects.get(), body["key"].split("_", 2)[2]
    assert key.secret_hash == sha256(secret.encode()).hexdigest()
    assert secret not in str(api(user).get(KEYS).json())
    # and it works, and its use is noted
    assert with_key(body["key"]).get(ME).json()["id"] == str(user.pk)
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_use_is_noted_at_most_once_a_minute(user: User) -> None:
    made = api_keys.create(user, "k", ["agents:read"])
    recent, older = timezone.now() - timedelta(seconds=30), timezone.now() - timedelta(seconds=90)
    for before, noted in ((recent, False), (older, True)):
        ApiKey.objects.update(last_used_at=before)
        api_keys.authenticate(made.text)
        assert (ApiKey.objects.get().last_used_at != before) is noted


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scopes": ["agents:read"]}, "/name"),
        ({"name": "x" * 51, "scopes": ["agents:read"]}, "/name"),
        ({"name": "two\nlines", "scopes": ["agents:read"]}, "/name"),
        ({"name": "k"}, "/scopes"),
        ({"name": "k", "scopes": []}, "/scopes"),
        ({"name": "k", "scopes": ["admin"]}, "/scopes"),
        ({"name": "k", "scopes": ["agents:read"], "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(body: dict[str, object], pointer: str, user: User, api: ApiFor) -> None:
    response = api(user).post(KEYS, body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"].startswith(pointer)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.replace("_", "-"),
        lambda text: text.rsplit("_", 1)[0],
        lambda text: "anx_" + "0" * 12 + "_" + text.split("_", 2)[2],
        lambda text: "anx_",
        lambda text: "anx__",
        lambda text: text + "x" * 10_000,
        lambda text: text.upper(),
    ],
)
def test_a_text_that_is_no_key_is_refused(spoil: object, user: User) -> None:
    made = api_keys.create(user, "k", EVERY_SCOPE)
    response = with_key(spoil(made.text)).get(ME)  # type: ignore[operator]
    assert response.status_code == 401
    assert response.json()["code"] in ("api_key_invalid", "token_invalid")


def test_the_stored_hash_is_not_a_key(user: User) -> None:
    key = api_keys.create(user, "k", EVERY_SCOPE).key
    assert with_key(f"anx_{key.prefix}_{key.secret_hash}").get(ME).json()["code"] == "api_key_invalid"


def test_an_expired_key_a_revoked_key_and_a_suspended_users_key_say_so(user: User) -> None:
    made = api_keys.create(user, "k", EVERY_SCOPE)
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert with_key(made.text).get(ME).json()["code"] == "api_key_expired"
    ApiKey.objects.update(expires_at=None, revoked_at=timezone.now())
    assert with_key(made.text).get(ME).json()["code"] == "api_key_revoked"
    ApiKey.objects.update(revoked_at=None)
    suspension.suspend(user, "Spam.")
    response = with_key(made.text).get(ME)
    assert (response.status_code, response.json()["code"]) == (401, "account_suspended")


def test_revoking_a_key_ends_it_at_once_and_may_be_repeated(user: User, api: ApiFor) -> None:
    made = api_keys.create(user, "k", EVERY_SCOPE)
    assert api(user).delete(f"{KEYS}/{made.key.pk}").status_code == 204
    assert with_key(made.text).get(ME).status_code == 401
    assert api(user).delete(f"{KEYS}/{made.key.pk}").status_code == 204


def test_rotation_gives_a_successor_and_lets_the_old_key_work_for_a_day(user: User, api: ApiFor) -> None:
    # given a key
    old = api_keys.create(user, "CI", ["agents:read"])
    # when it is rotated
    response = api(user).post(f"{KEYS}/{old.key.pk}/rotate")
    # then both work, and the old one ends in 24 hours
    assert response.status_code == 201
    assert (response.json()["name"], response.json()["scopes"]) == ("CI", ["agents:read"])
    for text in (old.text, response.json()["key"]):
        assert with_key(text).get(ME).status_code == 200
    old.key.refresh_from_db()
    assert old.key.expires_at is not None
    assert timedelta(hours=23, minutes=59) < old.key.expires_at - timezone.now() <= timedelta(hours=24)
    # and rotating it again is refused
    again = api(user).post(f"{KEYS}/{old.key.pk}/rotate")
    assert (again.status_code, again.json()["code"]) == (409, "api_key_rotated")


def test_rotation_never_lengthens_a_key(user: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    old = api_keys.create(user, "k", ["agents:read"], soon)
    made = api_keys.rotate(user, old.key.pk)
    old.key.refresh_from_db()
    assert (old.key.expires_at, made.key.expires_at) == (soon, soon)


def test_a_key_that_ended_is_not_rotated(user: User) -> None:
    made = api_keys.create(user, "k", ["agents:read"])
    for columns, code in (
        ({"revoked_at": timezone.now()}, "api_key_revoked"),
        ({"revoked_at": None, "expires_at": timezone.now()}, "api_key_expired"),
    ):
        ApiKey.objects.update(**columns)
        with pytest.raises(ApiKeyError) as caught:
            api_keys.rotate(user, made.key.pk)
        assert (caught.value.code, caught.value.http_status) == (code, 409)


def test_nobody_sees_revokes_or_rotates_anothers_key(user: User, stranger: User, api: ApiFor) -> None:
    made = api_keys.create(stranger, "theirs", EVERY_SCOPE)
    client = api(user)
    assert client.get(KEYS).json() == []
    for response in (client.delete(f"{KEYS}/{made.key.pk}"), client.post(f"{KEYS}/{made.key.pk}/rotate")):
        assert (response.status_code, response.json()["code"]) == (404, "api_key_not_found")
    assert client.delete(f"{KEYS}/{uuid4()}").status_code == 404
    assert with_key(made.text).get(ME).status_code == 200


def test_a_user_has_a_limited_number_of_keys_and_ended_ones_do_not_count(user: User, api: ApiFor) -> None:
    made = [api_keys.create(user, str(number), ["agents:read"]) for number in range(api_keys.MAX_KEYS)]
    body = {"name": "one more", "scopes": ["agents:read"]}
    response = api(user).post(KEYS, body)
    assert (response.status_code, response.json()["code"]) == (409, "api_key_limit")
    api_keys.revoke(user, made[0].key.pk)
    assert api(user).post(KEYS, body).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_rotations_one_makes_the_successor() -> None:
    user = user_with_wallet()
    made = api_keys.create(user, "k", ["agents:read"])
    barrier = threading.Barrier(4)

    def rotate(_: int) -> str:
        try:
            barrier.wait(timeout=30)
            api_keys.rotate(user, made.key.pk)
        except ApiKeyError as exc:
            return exc.code
        finally:
            connection.close()
        return "rotated"

    with ThreadPoolExecutor(4) as pool:
        outcomes = Counter(pool.map(rotate, range(4)))
    assert outcomes == {"rotated": 1, "api_key_rotated": 3}
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("patch", ME),
        ("get", WALLETS),
        ("post", WALLETS),
        ("get", KEYS),
        ("post", KEYS),
        ("get", "/api/v1/sessions"),
        ("delete", "/api/v1/sessions"),
        ("post", LOGOUT),
        ("post", "/api/v1/auth/siwe/nonce"),
    ],
)
def test_no_key_touches_the_account_or_makes_keys(method: str, path: str, user: User) -> None:
    made = api_keys.create(user, "k", EVERY_SCOPE)
    response = getattr(with_key(made.text), method)(path, {})
    assert (response.status_code, response.json()["code"]) == (403, "scope_missing")


CASES = [(name, method, scope) for name, methods in ROUTES.items() for method, scope in methods.items() if scope != ANY]


@pytest.mark.parametrize(("name", "method", "scope"), CASES)
def test_a_key_without_the_scope_of_a_route_is_refused_there(name: str, method: str, scope: str, user: User) -> None:
    # given a key with every scope but this one
    made = api_keys.create(user, "k", [other for other in EVERY_SCOPE if other != scope])
    # when the route is asked with some arguments of the right form
    response = with_key(made.text).generic(method, path_of(name))
    # then the scope is what is missing
    assert response.status_code == 403
    assert scope in response.json()["detail"]


@pytest.mark.parametrize(("name", "method", "scope"), CASES)
def test_a_key_with_only_the_scope_of_a_route_is_let_in_there(name: str, method: str, scope: str, user: User) -> None:
    made = api_keys.create(user, "k", [scope])
    response = with_key(made.text).generic(method, path_of(name), "{}", content_type="application/json")
    # whatever the route makes of an empty request, it is not for the key's scope
    assert response.status_code not in (401, 500)
    assert "scope_missing" not in (b"" if response.streaming else response.content).decode()


def api_routes() -> dict[str, str]:
    """Name and pattern of every route of the API."""
    found: dict[str, str] = {}

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> None:
        for entry in patterns:
            path = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, path)
            elif path.startswith("api/v1/"):
                found[entry.name or path] = path

    walk(get_resolver().url_patterns, "")
    return found


def path_of(name: str) -> str:
    samples = {"uuid": str(uuid4()), "slug": "some-agent", "str": "1"}
    return "/" + re.sub(r"<(\w+):\w+>", lambda match: samples[str(match[1])], api_routes()[name])


def test_every_route_of_the_api_says_which_keys_it_takes() -> None:
    assert set(ROUTES) == set(api_routes())


def test_a_key_opens_no_refresh_and_a_refresh_token_is_no_key(user: User) -> None:
    made = api_keys.create(user, "k", EVERY_SCOPE)
    assert APIClient().post("/api/v1/auth/token/refresh", {"refresh": made.text}).status_code == 401
    assert with_key(tokens.issue(user).refresh).get(ME).status_code == 401
