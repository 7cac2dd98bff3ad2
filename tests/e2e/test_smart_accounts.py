"""Buying from a smart account in a real browser, through a real bundler: with a wallet, and with a passkey alone."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import CDPSession, Page, expect
from web3 import HTTPProvider, Web3

from deploy.local.engines import ROOT
from deploy.local.platform import Site
from tests.e2e.test_journey import AGENT, WITHIN, sign_in
from tests.e2e.wallet import TestWallet

EMAIL, PASSWORD = "passkey@example.org", "correct-horse-battery-staple"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
MAKE_USER = """
from allauth.account.models import EmailAddress
from wallets.models import User
user = User.objects.create_user(email={email!r}, password={password!r})
EmailAddress.objects.create(user=user, email={email!r}, verified=True, primary=True)
"""


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    """What the page's scripts complain of; nothing, at the end."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert found == []


def fund(site: Site, address: str, wei: int) -> None:
    web3 = Web3(HTTPProvider(site.env["CHAIN_RPC_URL"]))
    web3.provider.make_request("anvil_setBalance", [address, hex(wei)])  # type: ignore[arg-type]


def account_address(page: Page) -> str:
    """Of the only smart account on the profile, once it is there."""
    row = page.locator("[data-account-row]")
    expect(row).to_have_count(1, timeout=WITHIN)
    return str(row.get_attribute("data-address"))


def buy(page: Page, site: Site) -> None:
    """Choose the smart account on the order page and pay; the access becomes active."""
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.get_by_text("Smart account", exact=True).click()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=block]")).to_have_attribute("data-state", "done", timeout=WITHIN)
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)
    page.locator("[data-run]").click()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible(timeout=WITHIN)


def test_a_wallet_pays_from_its_smart_account(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet], errors: list[str]
) -> None:
    # given a smart account with the price in it, and not a wei for gas
    wallet = wallet_for(page)
    sign_in(page, site)
    page.goto(f"{site.url}/profile/")
    page.locator("[data-open-wallet]").click()
    fund(site, account_address(page), 10**17)
    page.reload()
    expect(page.locator("[data-balances]")).to_contain_text("0.1 ETH", timeout=WITHIN)
    expect(page.locator("[data-deployed]")).to_have_text("Not on the chain yet")

    # when
    buy(page, site)

    # then the wallet signed and sent no transaction, and the profile shows what was done
    assert wallet.calls.count("eth_sendTransaction") == 0
    page.goto(f"{site.url}/profile/")
    expect(page.locator("[data-deployed]")).to_have_text("On the chain", timeout=WITHIN)
    expect(page.locator("[data-operation] [data-operation-status]").first).to_have_text("Done")

    # and what is left can be sent out
    page.get_by_text("Send from it").click()
    page.get_by_label("To", exact=True).fill(wallet.address)
    page.get_by_label("Amount", exact=True).fill("0.01")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("[data-operation]")).to_have_count(2, timeout=WITHIN)
    expect(page.locator("[data-operation]").first).to_contain_text("Send 0.01 ETH")
    expect(page.locator("[data-operation] [data-operation-status]").first).to_have_text("Done")


def test_a_wallet_that_declines_changes_nothing(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet], errors: list[str]
) -> None:
    wallet = wallet_for(page)
    sign_in(page, site)
    page.goto(f"{site.url}/profile/")
    page.locator("[data-open-wallet]").click()
    fund(site, account_address(page), 10**17)
    wallet.refuse.add("personal_sign")
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.get_by_text("Smart account", exact=True).click()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-problem-text]")).to_contain_text("declined", timeout=WITHIN)

    # and going on pays the same offer
    wallet.refuse.clear()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)


@pytest.fixture
def authenticator(page: Page) -> Iterator[CDPSession]:
    """A platform authenticator of Chromium's own that verifies its person."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield session
    session.detach()


def test_somebody_without_a_wallet_buys_with_a_passkey(
    site: Site, page: Page, authenticator: CDPSession, errors: list[str]
) -> None:
    # given somebody who enters by e-mail
    code = MAKE_USER.format(email=EMAIL, password=PASSWORD)
    subprocess.run([sys.executable, "manage.py", "shell", "-c", code], cwd=ROOT, env=site.env, check=True)
    page.goto(f"{site.url}/accounts/login/")
    page.locator("input[name=login]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    expect(page.get_by_label(re.compile("Account menu"))).to_be_visible(timeout=WITHIN)

    # when
    page.goto(f"{site.url}/profile/")
    page.locator("[data-open-passkey]").click()
    fund(site, account_address(page), 10**17)
    buy(page, site)

    # then
    page.goto(f"{site.url}/profile/")
    expect(page.locator("[data-operation] [data-operation-status]").first).to_have_text("Done")
    expect(page.locator("[data-deployed]")).to_have_text("On the chain", timeout=WITHIN)

    # and the account is the buyer: it opens a dispute, and ends it by releasing the money
    page.locator("a[href^='/purchases/']").first.click()
    page.get_by_role("button", name="Open a dispute").click()
    dialog = page.locator("#dispute-dialog")
    dialog.get_by_label("Your reason").fill("The profile of my file counts too few rows.")
    dialog.get_by_role("button", name="Open the dispute").click()
    expect(page.locator("[data-outcome=disputed]")).to_be_visible(timeout=WITHIN)
    page.get_by_role("button", name="Release now").click()
    page.get_by_role("button", name="Release the money").click()
    expect(page.locator("[data-outcome=released]")).to_be_visible(timeout=WITHIN)


def test_a_backup_on_another_device_takes_the_place_of_a_lost_passkey(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet], authenticator: CDPSession, errors: list[str]
) -> None:
    # given an account of a passkey, whose device cannot make its backup as well
    wallet_for(page)
    sign_in(page, site)
    page.goto(f"{site.url}/profile/")
    page.locator("[data-open-passkey]").click()
    address = account_address(page)
    fund(site, address, 10**17)
    summary, passkeys = page.locator("[data-passkeys] summary"), page.locator("[data-passkeys] li")
    summary.click()
    page.get_by_role("button", name="Add a backup passkey").click()
    expect(page.locator("#smart-accounts [data-problem-text]")).to_contain_text("on another one", timeout=WITHIN)

    # when a security key is there too
    authenticator.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, "transport": "usb"}})
    page.get_by_role("button", name="Add a backup passkey").click()
    expect(summary).to_have_text("Passkey and backup", timeout=WITHIN)
    expect(page.locator("[data-operation]").first).to_contain_text("Add a backup passkey")

    # then it takes the first one away
    summary.click()
    expect(passkeys).to_have_count(2)
    page.get_by_role("button", name="Remove").first.click()
    expect(summary).to_have_text("Passkey without a backup", timeout=WITHIN)
    expect(page.locator("[data-operation]").first).to_contain_text("Remove a passkey")
    assert page.locator("[data-account-row]").get_attribute("data-address") == address
