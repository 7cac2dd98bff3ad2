"""Entering the administration of the site under test, as the member of staff that every local site has."""

import json
import time

from playwright.sync_api import Page

from deploy.local.platform import Site
from deploy.local.staff import FILE, code


def enter(page: Page, site: Site) -> None:
    """Sign in with password and authenticator app. A code counts once, so this can be done once in 30 seconds."""
    kept = json.loads((site.data / FILE).read_text())
    page.goto(f"{site.url}/admin/")
    page.locator("[name=login]").fill(kept["email"])
    page.locator("[name=password]").fill(kept["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator("[name=code]").fill(code(kept["secret"], time.time()))
    page.locator("[name=code]").press("Enter")
