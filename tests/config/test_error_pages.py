"""Errors as pages for people and as problem details for programs."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from config import views
from tests.pages import SignIn, text
from wallets.models import User

pytestmark = pytest.mark.django_db
UNKNOWN = "01a210a7-1535-72a8-9e54-5e8a0b29a89d"


def test_a_page_that_is_not_there(client: Client) -> None:
    response = client.get("/nothing/here/")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_an_api_address_that_is_not_there(client: Client) -> None:
    response = client.get("/api/v1/nothing")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("status", "code"), [(400, "bad_request"), (403, "permission_denied"), (404, "not_found"), (500, "server_error")]
)
def test_programs_get_problem_details(rf: RequestFactory, status: int, code: str) -> None:
    request = rf.get("/api/v1/agents")
    handlers = {
        400: lambda: views.bad_request(request, SuspiciousOperation()),
        403: lambda: views.forbidden(request, PermissionDenied()),
        404: lambda: views.not_found(request, Exception()),
        500: lambda: views.server_error(request),
    }
    response = handlers[status]()
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert f'"code": "{code}"' in response.content.decode()


def test_the_page_of_our_own_mistake_needs_nothing_that_may_be_broken(
    rf: RequestFactory, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = views.server_error(rf.get("/"))
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


def test_a_forbidden_page_says_who_one_is(signed_in: SignIn, user: User) -> None:
    user.display_name = "Ada"
    user.save()
    response = signed_in(user).get("/admin/login/")
    assert response.status_code == 403
    assert "You are signed in as Ada" in text(response)


@pytest.mark.parametrize("path", ["/nothing/here/", f"/executions/{UNKNOWN}/"])
def test_developers_see_the_sites_own_page_too(path: str, signed_in: SignIn, user: User, settings: Settings) -> None:
    settings.DEBUG = True
    response = signed_in(user).get(path)
    assert response.status_code == 404
    assert "There is nothing at this address" in text(response)
    assert "urlconf" not in text(response).lower()


def test_developers_programs_get_problem_details_and_missing_slashes_are_added(
    client: Client, settings: Settings
) -> None:
    settings.DEBUG = True
    assert client.get("/api/v1/nothing").json()["code"] == "not_found"
    assert client.get("/studio")["Location"] == "/studio/"


def test_developers_keep_their_tracebacks(client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    client.raise_request_exception = False

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the reason of it")

    monkeypatch.setattr("config.health._check", broken)
    response = client.get("/readyz")
    assert response.status_code == 500
    assert "the reason of it" in text(response)
    assert "Traceback" in text(response)
