"""Ways into an account in a real browser: e-mail, passkey, second factor, wallets; and the keys for programs."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Page, expect

from deploy.local import staff
from deploy.local.engines import ROOT
from deploy.local.platform import Site
from tests.e2e.test_journey import WITHIN, sign_in, sign_in_button
from tests.e2e.wallet import TestWallet

PASSWORD = "a-long-password-of-ann"
MENU = re.compile("Account menu")
Installer = Callable[[Page], TestWallet]


def code_mailed_to(address: str, site: Site) -> str:
    """The code in the mail that the site wrote to its folder."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for file in Path(site.env["EMAIL_FILE_PATH"]).glob("*.log"):
            found = re.search(rf"^Subject: (\S+) confirms .*?^To: {re.escape(address)}$", file.read_text(), re.M | re.S)
            if found:
                return found[1]
        time.sleep(0.05)
    raise AssertionError(f"No mail to {address}.")


def make_account(page: Page, site: Site) -> str:
    """Sign up with an e-mail address through the pages; returns the address."""
    address = f"{uuid4().hex}@example.org"
    page.goto(site.url)
    sign_in_button(page).click()
    page.get_by_role("link", name="Create an account with your e-mail address").click()
    page.locator("main").get_by_label("E-mail address").fill(address)
    page.locator("main").get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Confirm your e-mail address")).to_be_visible(timeout=WITHIN)
    expect(page.get_by_text("no e-mail leaves this machine")).to_be_visible()
    page.locator("[name=code]").fill(code_mailed_to(address, site))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label(MENU)).to_be_visible(timeout=WITHIN)
    return address


def sign_out(page: Page) -> None:
    page.get_by_label(MENU).click()
    page.locator("header").get_by_role("button", name="Sign out").click()
    expect(sign_in_button(page)).to_be_visible(timeout=WITHIN)


def test_an_account_by_e_mail_and_a_passkey_that_enters_it(site: Site, page: Page, complaints: list[str]) -> None:
    # given a device that keeps passkeys, and an account made with an e-mail address
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    make_account(page, site)

    # when a passkey is added
    page.goto(f"{site.url}/profile/security/")
    page.locator("main").get_by_role("link", name="Add", exact=True).click()
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible(timeout=WITHIN)
    sign_out(page)

    # then it signs in alone, from the dialog
    sign_in_button(page).click()
    page.get_by_role("button", name="Passkey").click()
    expect(page.get_by_label(MENU)).to_be_visible(timeout=WITHIN)
    assert complaints == []


def test_a_passkey_that_is_not_there_is_explained(site: Site, page: Page) -> None:
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
            }
        },
    )
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("main [data-passkey-problem]")).to_contain_text("No passkey was used", timeout=WITHIN)


def test_an_api_key_is_shown_once_works_and_is_revoked(site: Site, page: Page, wallet_for: Installer) -> None:
    # given a signed-in person
    wallet_for(page)
    sign_in(page, site)

    # when a key is made
    page.goto(f"{site.url}/profile/security/")
    page.get_by_label("Name").fill("nightly report")
    page.get_by_label("executions:read").check()
    page.get_by_role("button", name="Make the key").click()
    dialog = page.locator("#new-key")
    expect(dialog).to_be_visible(timeout=WITHIN)
    key = page.locator("#new-key-text").inner_text()
    dialog.get_by_role("button", name="I have copied it").click()

    # then it works within its scope, and the page shows it no more
    headers = {"Authorization": f"Bearer {key}"}
    assert requests.get(f"{site.url}/api/v1/executions", headers=headers, timeout=10).status_code == 200
    assert requests.get(f"{site.url}/api/v1/purchases", headers=headers, timeout=10).json()["code"] == "scope_missing"
    page.goto(f"{site.url}/profile/security/")
    assert key not in page.content()

    # and when it is revoked, after a question, it works no more
    page.get_by_role("button", name="Revoke").click()
    page.locator("#confirm").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The key is revoked.")).to_be_visible(timeout=WITHIN)
    refused = requests.get(f"{site.url}/api/v1/executions", headers=headers, timeout=10)
    assert refused.json()["code"] == "api_key_revoked"


def test_a_wallet_is_linked_made_primary_and_unlinked(site: Site, page: Page, wallet_for: Installer) -> None:
    # given a person signed in with one wallet
    wallet = wallet_for(page)
    first = wallet.address
    sign_in(page, site)
    page.goto(f"{site.url}/profile/")
    expect(page.get_by_role("button", name="Unlink")).to_have_count(0)

    # when the wallet offers another account and it is linked
    wallet.switch_account()
    page.get_by_role("button", name="Link another").click()
    page.get_by_role("button", name="Test Wallet").click()
    expect(page.get_by_role("button", name="Make primary")).to_have_count(1, timeout=WITHIN)

    # then it can become the primary one
    page.get_by_role("button", name="Make primary").click()
    expect(page.get_by_text("This wallet now pays and receives by default.")).to_be_visible(timeout=WITHIN)

    # and the first can go, after a question; the session that it had begun ends with it
    row = page.locator("li", has=page.locator(f"[title='{first}']"))
    row.get_by_role("button", name="Unlink").click()
    page.locator("#confirm").get_by_role("button", name="Unlink").click()
    expect(sign_in_button(page)).to_be_visible(timeout=WITHIN)
    sign_in(page, site)
    page.goto(f"{site.url}/profile/")
    expect(page.locator(f"main [title='{wallet.address}']")).to_be_visible()
    expect(page.locator(f"main [title='{first}']")).to_have_count(0)


def test_disconnecting_the_wallet_ends_the_session_and_says_so(site: Site, page: Page, wallet_for: Installer) -> None:
    wallet_for(page)
    sign_in(page, site)
    # The page listens once it has found the wallet again.
    page.wait_for_function("window.__walletListeners('accountsChanged') > 0")
    page.evaluate("window.__emitWalletEvent('accountsChanged', [])")
    expect(page.get_by_text("was disconnected, so you are signed out")).to_be_visible(timeout=WITHIN)
    expect(sign_in_button(page)).to_be_visible()
    assert page.request.get(f"{site.url}/api/v1/me").status == 401


def test_staff_enter_with_the_code_of_their_app(site: Site, page: Page, tmp_path: Path) -> None:
    """The account that `make up` prepares: password, then the code that `make staff` prints."""
    file = tmp_path / staff.FILE
    command = [sys.executable, "manage.py", "local_staff", str(file), "--email", f"{uuid4().hex}@example.org"]
    subprocess.run(command, cwd=ROOT, env=site.env, check=True, capture_output=True)
    login = staff.login(file)
    page.goto(f"{site.url}/admin/")
    page.locator("[name=login]").fill(login.email)
    page.locator("[name=password]").fill(login.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator("[name=code]").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("This code is not right.")).to_be_visible(timeout=WITHIN)
    page.locator("[name=code]").fill(staff.code(login.secret, time.time()))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile(r"/admin/$"), timeout=WITHIN)


def test_an_unknown_address_shows_the_sites_own_page(site: Site, page: Page) -> None:
    response = page.goto(f"{site.url}/nothing/here/")
    assert response is not None
    assert response.status == 404
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/profile/security/"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_account_pages_fit_a_phone(site: Site, page: Page, wallet_for: Installer, path: str, scheme: str) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    if path.startswith("/profile"):
        wallet_for(page)
        sign_in(page, site)
    page.goto(site.url + path)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
