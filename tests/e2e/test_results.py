"""A result in a person's hands, and an author who waits for the verdict on an image."""

import json
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from marketplace.models import AgentVersion
from tests.factories.executions import ExecutionFactory
from tests.factories.marketplace import AgentVersionFactory, PublishedAgentFactory
from wallets.models import User

pytestmark = pytest.mark.django_db(transaction=True)
OUTPUT = {
    "rows": [{"name": "=a", "size": 1234}, {"name": "b", "size": 5}],
    "tree": {"one": {"two": {"three": [1, 2]}}, "four": {}},
    "said": "As it was written.",
}


def sign_in(page: Page, live_server: LiveServer, user: User) -> None:
    client = Client()
    client.force_login(user)
    for name, morsel in client.cookies.items():
        page.context.add_cookies([{"name": name, "value": morsel.value, "url": live_server.url}])


def test_a_result_is_opened_by_keyboard_copied_and_taken_along(live_server: LiveServer, page: Page) -> None:
    run = ExecutionFactory.create(status="succeeded", output=OUTPUT)
    sign_in(page, live_server, run.user)
    page.goto(f"{live_server.url}/executions/{run.pk}/")
    page.get_by_role("tab", name="Result").click()

    tree = page.get_by_role("group", name="Tree")
    page.get_by_role("button", name="Close all").click()
    assert tree.locator("details[open]").count() == 1
    tree.locator("summary").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent").startswith("two: ")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.parentElement.parentElement.getAttribute('role')") == "group"
    page.get_by_role("button", name="Open all").click()
    assert tree.locator("details:not([open])").count() == 0
    expect(tree.get_by_text("three:")).to_be_visible()

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy Said").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "As it was written."
    with page.expect_download() as table:
        page.get_by_role("link", name="Download Rows as CSV").click()
    assert Path(table.value.path()).read_text(encoding="utf-8-sig").split() == ["name,size", "'=a,1234", "b,5"]
    with page.expect_download() as document:
        page.get_by_role("button", name="Download Tree as JSON").click()
    assert json.loads(Path(document.value.path()).read_text()) == OUTPUT["tree"]


def test_the_page_shows_the_verdict_when_it_is_there(live_server: LiveServer, page: Page) -> None:
    agent = PublishedAgentFactory.create()
    version = AgentVersionFactory.create(agent=agent, number="9.0.0", verdict=AgentVersion.Verdict.PENDING)
    sign_in(page, live_server, agent.creator)
    page.goto(f"{live_server.url}/agents/{agent.slug}/")
    expect(page.get_by_text("Being checked")).to_be_visible()

    AgentVersion.objects.filter(pk=version.pk).update(verdict="refused", verdict_reason="It is too large.")

    expect(page.get_by_text("It is too large.")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_text("Version 9.0.0 is being checked again.")).to_be_visible()
