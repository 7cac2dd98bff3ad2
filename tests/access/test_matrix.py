"""The access matrix against every address of the site: API, pages, administration. Sockets: test_sockets.py."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib import admin
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from config.settings.environment import BASE_DIR
from tests.access import world as worlds
from tests.access.matrix import ANONYMOUS, API, BODIES, EVERYONE, PAGES, SOCKETS, STAFF_MEMBER, Row
from tests.access.routes import routes
from tests.access.world import PERSONS, SUSPENDED, World
from tests.factories.wallets import STAFF_PASSWORD

pytestmark = pytest.mark.django_db
ELSEWHERE = ("/?connect=1", "/accounts/login/", "/admin/login/")


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once: what a request changes is undone. No test of this module may have a transaction of its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield worlds.build()
        transaction.set_rollback(True)


@pytest.mark.slow
@pytest.mark.parametrize("row", API, ids=str)
def test_api(row: Row, world: World) -> None:
    # A credential that is refused is never taken for nobody: the suspended are out wherever one is looked at.
    view = next(route.view for route in routes() if route.name == row.name)
    anybody = getattr(getattr(view, "cls", None), "authentication_classes", None) in ([], ())
    for person in PERSONS:
        for method in row.methods.split():
            with undone():
                client = world.api(person)
                body = json.dumps(BODIES.get(row.name, {}))
                response = client.generic(method, address(row, world), body, content_type="application/json")
            let_in = response.status_code not in {401, 403, 404}
            expect(row, person, method, response, let_in or anybody, anybody or person in row.who)


@pytest.mark.slow
@pytest.mark.parametrize("row", PAGES, ids=str)
def test_pages(row: Row, world: World) -> None:
    for person in PERSONS:
        for method in row.methods.split():
            with undone():
                client = world.browser(person)
                response = client.generic(method, address(row, world))
            went = response.headers.get("Location", "")
            steps_back = row.who != EVERYONE and went.startswith(ELSEWHERE)
            let_in = response.status_code not in {401, 403, 404} and not steps_back
            # A suspended person's browser is signed out: it is nobody's.
            expect(row, person, method, response, let_in, (ANONYMOUS if person == SUSPENDED else person) in row.who)
            # As a server does at the end; `close()` would close the test's connection to the database, too.
            for close in response._resource_closers:  # type: ignore[attr-defined]
                close()


def test_every_address_has_a_row() -> None:
    """The matrix is complete: what is added to a urls.py must be added to tests/access/matrix.py."""
    known = {row.name for row in [*API, *PAGES]}
    for route in routes():
        if route.is_admin:
            continue
        table = "API" if route.path.startswith("api/v1/") else "PAGES"
        assert route.name in known, (
            f'The address /{route.path} (name "{route.name}") is not in the access matrix.\n'
            f"Add one line to {table} in tests/access/matrix.py, with its methods and who may use them:\n"
            f'    row("{route.name}", "GET", SIGNED_IN),   # EVERYONE, SIGNED_IN, OWNER or OWNER_AND_STAFF\n'
            "A URL parameter that tests/access/world.py does not know yet is added to its `samples`."
        )
    assert known <= {route.name for route in routes()}, "The matrix names addresses that are gone."


def test_every_method_of_the_api_has_a_row() -> None:
    listed: dict[str, set[str]] = {}
    for row in API:
        listed.setdefault(row.name, set()).update(row.methods.split())
    for route in routes():
        view = getattr(route.view, "cls", None)
        if view is None or not route.path.startswith("api/v1/"):
            continue
        missing = {method.upper() for method in view.http_method_names if hasattr(view, method)}
        missing -= {"OPTIONS", "HEAD", *listed[route.name]}
        assert not missing, (
            f'Add to API in tests/access/matrix.py: row("{route.name}", "{" ".join(sorted(missing))}", …),'
        )


def test_every_socket_has_a_row() -> None:
    from executions.routing import websocket_urlpatterns as executions
    from marketplace.routing import websocket_urlpatterns as marketplace

    known = {row.name for row in SOCKETS}
    for pattern in [*executions, *marketplace]:
        path = str(pattern.pattern)
        assert path in known, f'Add to SOCKETS in tests/access/matrix.py: row("{path}", "WS", OWNER),'


def test_rights_of_staff_hang_on_the_second_factor() -> None:
    """Outside the administration `acts_as_staff` is asked, which a bare sign-in and tokens never have."""
    for room in ("executions", "marketplace"):
        for file in (BASE_DIR / room).rglob("*.py"):
            asked = re.search(r"\b(?!current\b)\w+\.is_staff\b", file.read_text())
            assert not asked, f"{file.relative_to(BASE_DIR)} asks {asked and asked[0]}; ask `acts_as_staff`"


@pytest.mark.slow
def test_the_administration_opens_to_staff_with_a_second_factor_only(world: World) -> None:
    """Every page of the admin, found by its URL patterns; ids are made up, so that only the door is tried."""
    password_only = Client(raise_request_exception=False)
    staff = world.users[STAFF_MEMBER]
    assert staff is not None
    password_only.post("/accounts/login/", {"login": staff.email, "password": STAFF_PASSWORD})
    assert password_only.get("/api/v1/me").status_code == 200
    kept_out = [password_only, *(world.browser(person) for person in PERSONS if person != STAFF_MEMBER)]
    pages = [route.path for route in routes() if route.is_admin]
    pages = [path for path in pages if not path.startswith(("admin/login", "admin/logout", "admin/jsi18n"))]
    assert len(pages) > 5 * len(admin.site._registry)
    for path in pages:
        made_up = "/" + path.replace("<path:object_id>", "0").replace("<str:object_id>", "0")
        for client in kept_out:
            response = client.get(made_up)
            assert response.status_code == 302, made_up
            assert response.headers["Location"].startswith("/admin/login/"), made_up


def expect(row: Row, person: str, method: str, response: HttpResponseBase, let_in: bool, may: bool) -> None:
    """Compare, and say in the failure who did what."""
    where = response.headers.get("Location", "")
    said = f"{method} {row.name} as {person}: {response.status_code} {where}"
    assert response.status_code != 500, said
    assert response.status_code != 405, said
    assert let_in == may, f"{said}; by tests/access/matrix.py this person {'may' if may else 'may not'}"


def address(row: Row, world: World) -> str:
    """The row's address with the parameters it needs."""
    chosen = dict(row.parameters)
    route = next(route for route in routes() if route.name == row.name)
    return reverse(row.name, kwargs={name: world.samples[chosen.get(name, name)] for name in route.parameters})


@contextmanager
def undone() -> Iterator[None]:
    """A transaction that leaves nothing, so that the persons meet the same world one after the other."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
