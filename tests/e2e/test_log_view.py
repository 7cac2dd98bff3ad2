"""The log of a run in a real browser, with a socket whose words the test chooses: thousands of lines, found, held back,
linked to."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from executions.models import Execution
from tests.factories.executions import ExecutionFactory
from tests.pages import SignIn

pytestmark = pytest.mark.django_db
ORIGIN = "http://log.test"
MANY = 20_000


@dataclass
class Socket:
    """The server's side of the page's socket."""

    execution: Execution
    opened: list[str] = field(default_factory=list)
    route: WebSocketRoute | None = None

    def open(self, route: WebSocketRoute) -> None:
        self.route = route
        self.opened.append(route.url)

    def lines(self, first: int, last: int, text: Callable[[int], str] = lambda seq: f"line number {seq}") -> None:
        assert self.route is not None
        for start in range(first, last + 1, 500):
            rows = [
                {"seq": seq, "time": "2026-01-02T03:04:05.678Z", "stream": "stdout", "text": text(seq)}
                for seq in range(start, min(start + 500, last + 1))
            ]
            self.route.send(json.dumps({"type": "lines", "lines": rows}))


@pytest.fixture
def opened(page: Page, signed_in: SignIn) -> Iterator[Callable[..., Socket]]:
    """Opens the page of a run under way."""
    execution = ExecutionFactory.create(status="running", attempt=1)
    client = signed_in(execution.user)
    html = client.get(f"/executions/{execution.pk}/").content.decode()

    def serve(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            found = finders.find(path.removeprefix("/static/"))
            assert isinstance(found, str), path
            return route.fulfill(path=found)
        return route.fulfill(body=html, content_type="text/html")

    def go(anchor: str = "") -> Socket:
        socket = Socket(execution)
        page.set_viewport_size({"width": 1280, "height": 1200})
        page.route("**/*", serve)
        page.route_web_socket("**/ws/**", socket.open)
        page.goto(f"{ORIGIN}/executions/{execution.pk}/{anchor}")
        expect(page.locator("[data-connection]")).to_have_text("Live")
        return socket

    yield go
    page.unroute_all(behavior="ignoreErrors")


def top_of(page: Page) -> Any:
    return page.evaluate("document.querySelector('[data-scroll]').scrollTop")


def test_of_thousands_of_lines_only_those_near_the_view_are_drawn(page: Page, opened: Callable[..., Socket]) -> None:
    socket = opened()
    socket.lines(1, MANY)
    expect(page.locator("[data-count]")).to_have_text("20,000 lines")
    expect(page.locator("#L20000")).to_be_in_viewport()
    assert page.locator(".tape-line").count() < 1500
    # what comes is followed, until one looks elsewhere
    socket.lines(MANY + 1, MANY + 1)
    expect(page.locator("#L20001")).to_be_in_viewport()
    page.locator("[data-scroll]").hover()
    page.mouse.wheel(0, -1_000_000)
    expect(page.locator("#L1")).to_be_in_viewport()
    socket.lines(MANY + 2, MANY + 3)
    expect(page.get_by_role("button", name="2 new")).to_be_visible()
    assert top_of(page) == 0
    page.get_by_role("button", name="2 new").click()
    expect(page.locator("#L20003")).to_be_in_viewport()


def test_searching_leads_from_place_to_place(page: Page, opened: Callable[..., Socket]) -> None:
    socket = opened()
    socket.lines(1, 5000, lambda seq: f"needle {seq}" if seq in {7, 2500, 4999} else f"hay {seq}")
    expect(page.locator("[data-count]")).to_have_text("5,000 lines")
    search = page.get_by_placeholder("Search the log")
    search.fill("NEEDLE")
    expect(page.locator("[data-found]")).to_have_text("1 of 3")
    expect(page.locator("#L7")).to_be_in_viewport()
    expect(page.locator("#L7 mark")).to_have_text("needle")
    search.press("Enter")
    expect(page.locator("#L2500")).to_be_in_viewport()
    search.press("Shift+Enter")
    search.press("Shift+Enter")
    expect(page.locator("[data-found]")).to_have_text("3 of 3")
    expect(page.locator("#L4999")).to_be_in_viewport()
    search.fill("straw")
    expect(page.locator("[data-found]")).to_have_text("Not found")
    search.press("Escape")
    expect(page.locator("[data-found]")).to_have_text("")


def test_pausing_holds_lines_back_and_loses_none(page: Page, opened: Callable[..., Socket]) -> None:
    socket = opened()
    socket.lines(1, 10)
    expect(page.locator("[data-count]")).to_have_text("10 lines")
    page.get_by_role("button", name="Pause").click()
    socket.lines(11, 40)
    expect(page.locator("[data-count]")).to_have_text("10 lines, 30 more held back")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-count]")).to_have_text("40 lines")
    assert page.locator(".tape-line .n").all_text_contents() == [str(seq) for seq in range(1, 41)]


def test_link_to_a_line_leads_there_when_it_comes(page: Page, opened: Callable[..., Socket]) -> None:
    socket = opened("#L1200")
    socket.lines(1, 600)
    expect(page.locator("[data-count]")).to_have_text("600 lines")
    socket.lines(601, 3000)
    expect(page.locator("#L1200")).to_be_in_viewport()
    expect(page.locator("#L1200")).to_have_attribute("data-current", "true")
    page.locator("#L1201 .n").click()
    assert page.url.endswith("#L1201")


def test_a_gap_is_asked_for_again(page: Page, opened: Callable[..., Socket]) -> None:
    socket = opened()
    socket.lines(1, 5)
    expect(page.locator("[data-count]")).to_have_text("5 lines")
    socket.lines(8, 9)
    expect(page.locator("[data-connection]")).to_have_text("Connecting again…")
    expect(page.locator("[data-connection]")).to_have_text("Live")
    assert socket.opened[-1].endswith("?after=5")
    socket.lines(6, 9)
    expect(page.locator("[data-count]")).to_have_text("9 lines")
