"""Staff at work: sign in by e-mail, look at every list, without a broken script."""

import re
import subprocess
import sys
import time

import pytest
from playwright.sync_api import Page, expect

from deploy.local.engines import ROOT
from deploy.local.platform import Site
from deploy.local.staff import code

EMAIL = "staff@example.org"
PASSWORD = "a-long-password-of-staff"
LISTS = (
    *("marketplace/agent", "marketplace/purchase", "marketplace/dispute", "marketplace/exit", "marketplace/withdrawal"),
    *("executions/execution", "chain/event", "wallets/user"),
)


@pytest.fixture(scope="session")
def staff(site: Site) -> None:
    """A superuser made the way the README says."""
    env = site.env | {"DJANGO_SUPERUSER_EMAIL": EMAIL, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    command = [sys.executable, "manage.py", "createsuperuser", "--no-input"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)


@pytest.mark.usefixtures("staff")
def test_staff_see_every_list(site: Site, page: Page, complaints: list[str]) -> None:
    # when
    page.goto(f"{site.url}/admin/")
    page.locator("[name=login]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    # then a second factor is set up first
    page.get_by_role("link", name="Set up the app").click()
    page.get_by_text("You cannot scan it?").click()
    page.locator("[name=code]").fill(code(page.locator("#totp-secret").inner_text(), time.time()))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("link", name="To the administration").click()

    # and every list opens
    expect(page).to_have_url(re.compile(r"/admin/$"))
    for name in LISTS:
        response = page.goto(f"{site.url}/admin/{name}/")
        assert response is not None
        assert response.status == 200
        expect(page.locator("[x-show=openCommandResults]")).to_be_hidden()
    assert complaints == []
