"""Money that cannot be lost, in real browsers: dispute, decision and payout without a click; release; withdrawal."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount
from playwright.sync_api import Browser, Page, expect

from deploy.local.demo import WASM_AGENT, Client, publish, wait_for_status
from deploy.local.demo import buy as buy_by_api
from deploy.local.platform import Site
from tests.e2e.staff import enter
from tests.e2e.test_journey import AGENT, WITHIN, sign_in
from tests.e2e.test_pages import buy
from tests.e2e.wallet import TestWallet

Installer = Callable[[Page], TestWallet]
REASON = "The profile of my file counts 12 rows, and the file has 400."
DECISION = "The run shows that the file was read to its end only in part. Half of the price is fair."
# A folder for pictures of every step, to be looked at.
SHOTS = os.environ.get("SCREENSHOTS")


def shot(page: Page, name: str) -> None:
    """Wide and light, and narrow and dark."""
    if not SHOTS:
        return
    page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
    wide = page.viewport_size
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 375, "height": 740})
    page.screenshot(path=str(Path(SHOTS) / f"{name}-narrow-dark.png"), full_page=True)
    page.emulate_media(color_scheme="light")
    if wide:
        page.set_viewport_size(wide)


def opened(page: Page) -> None:
    """Leave the steps of paying for the papers of the purchase."""
    page.reload()
    expect(page.locator("[data-outcome=active]")).to_be_visible(timeout=WITHIN)


@pytest.fixture
def staff_page(site: Site, browser: Browser) -> Iterator[Page]:
    """A browser in which an administrator is signed in."""
    context = browser.new_context()
    page = context.new_page()
    enter(page, site)
    expect(page).to_have_url(re.compile(r"/admin/$"), timeout=WITHIN)
    yield page
    context.close()


@pytest.fixture
def creator(site: Site, browser: Browser) -> Iterator[tuple[Page, TestWallet, str]]:
    """A creator's browser, signed in, and the address (slug) of an agent of theirs that is for sale."""
    context = browser.new_context()
    page = context.new_page()
    wallet = TestWallet(site.env["CHAIN_RPC_URL"])
    wallet.install(page)
    sign_in(page, site)
    program = Client(site.url, wallet.account)
    program.sign_in()
    agent = publish(program, site.built_agents, WASM_AGENT)
    yield page, wallet, agent["slug"]
    context.close()


def bought_by_api(site: Site, wallet: TestWallet, slug: str) -> tuple[Client, str]:
    """A purchase of `slug`, paid and confirmed; the buyer's API client and its id."""
    client = Client(site.url, wallet.account)
    client.sign_in()
    purchase, _, _ = buy_by_api(client, wallet.web3, slug)
    wait_for_status(client, f"/purchases/{purchase['id']}", "active", 60)
    return client, str(purchase["id"])


def test_a_dispute_is_decided_and_the_refund_arrives_without_a_click(
    site: Site, page: Page, wallet_for: Installer, staff_page: Page, complaints: list[str]
) -> None:
    # given a buyer with a purchase
    wallet = wallet_for(page)
    sign_in(page, site)
    buy(page, site)
    opened(page)
    shot(page, "purchase-active")

    # when the wallet declines, the reason is kept and nothing is lost
    wallet.refuse.add("eth_sendTransaction")
    page.get_by_role("button", name="Open a dispute").click()
    dialog = page.locator("#dispute-dialog")
    dialog.get_by_label("Your reason").fill(REASON)
    shot(page, "dispute-dialog")
    dialog.get_by_role("button", name="Open the dispute").click()
    expect(dialog.locator("[data-problem]")).to_contain_text("You declined in your wallet", timeout=WITHIN)
    wallet.refuse.clear()
    page.reload()
    page.get_by_role("button", name="Open a dispute").click()
    expect(dialog.get_by_label("Your reason")).to_have_value(REASON)

    # when it is signed, however often the button is pressed
    sends = wallet.calls.count("eth_sendTransaction")
    dialog.get_by_role("button", name="Open the dispute").dblclick()
    expect(page.locator("[data-outcome=disputed]")).to_be_visible(timeout=WITHIN)
    assert wallet.calls.count("eth_sendTransaction") == sends + 1
    expect(page.locator("[data-entry=disputed]")).to_contain_text(REASON)
    expect(page.locator("[data-entry=deciding]")).to_be_visible()
    shot(page, "purchase-disputed")
    before = wallet.web3.eth.get_balance(wallet.account.address)

    # and staff decide
    staff_page.goto(f"{site.url}/admin/marketplace/dispute/")
    shot(staff_page, "admin-queue")
    staff_page.goto(f"{site.url}/admin/marketplace/dispute/{page.url.rstrip('/').rsplit('/', 1)[-1]}/change/")
    expect(staff_page.get_by_text(REASON)).to_be_visible()
    staff_page.get_by_label("Share of the buyer in per cent").fill("50")
    staff_page.get_by_label("Decision").fill(DECISION)
    shot(staff_page, "admin-dispute")
    staff_page.get_by_role("button", name="Show who gets what").click()
    expect(staff_page.locator("[data-shares]")).to_contain_text("ETH")
    half = int(staff_page.locator("[data-shares] tbody tr").first.locator("td").nth(2).inner_text().replace(",", ""))
    shot(staff_page, "admin-preview")
    staff_page.get_by_role("button", name="Send the decision").click()
    expect(staff_page.get_by_text("on its way to the chain").first).to_be_visible(timeout=WITHIN)
    shot(staff_page, "admin-decided")

    # then the buyer's open page says so, and the money is in the wallet, without anything being pressed
    expect(page.locator("[data-outcome=released]")).to_be_visible(timeout=WITHIN)
    expect(page.locator("[data-entry=decided]")).to_contain_text(DECISION)
    expect(page.locator("[data-entry=withdrawn]")).to_be_visible(timeout=60_000)
    assert wallet.web3.eth.get_balance(wallet.account.address) - before == half
    assert wallet.calls.count("eth_sendTransaction") == sends + 1
    shot(page, "purchase-resolved")
    staff_page.reload()
    expect(staff_page.locator("[data-decision=Confirmed]")).to_be_visible(timeout=WITHIN)
    assert complaints == []


def test_a_buyer_releases_early_and_the_creator_withdraws(
    site: Site, page: Page, wallet_for: Installer, creator: tuple[Page, TestWallet, str]
) -> None:
    # given
    studio, creators_wallet, slug = creator
    wallet = wallet_for(page)
    sign_in(page, site)
    _, purchase = bought_by_api(site, wallet, slug)
    page.goto(f"{site.url}/purchases/{purchase}/")

    # when the buyer thinks again, nothing is sent
    page.get_by_role("button", name="Release now").click()
    expect(page.locator("#confirm")).to_be_visible()
    shot(page, "release-confirm")
    page.get_by_role("button", name="Keep as it is").click()
    assert "eth_sendTransaction" not in wallet.calls

    # and when the buyer is sure
    page.get_by_role("button", name="Release now").click()
    page.get_by_role("button", name="Release the money").click()

    # then
    expect(page.locator("[data-outcome=released]")).to_be_visible(timeout=WITHIN)
    expect(page.locator("[data-entry=released]")).to_contain_text("0.00195 ETH to the creator, 0.00005 ETH fee.")
    expect(page.locator("[data-actions]")).to_have_count(0)

    # and the creator takes it
    studio.goto(f"{site.url}/studio/sales/")
    expect(studio.locator("[data-withdrawable]")).to_have_text("0.00195 ETH", timeout=WITHIN)
    shot(studio, "sales-withdrawable")
    before = creators_wallet.web3.eth.get_balance(creators_wallet.account.address)
    studio.get_by_role("button", name="Withdraw").click()
    expect(studio.get_by_text("Paid out.", exact=True)).to_be_visible(timeout=WITHIN)
    expect(studio.locator("[data-withdrawable]")).to_have_text("0 ETH")
    spent = 10**15  # the most that gas can have cost here
    gained = creators_wallet.web3.eth.get_balance(creators_wallet.account.address) - before
    assert 1_950_000_000_000_000 - spent < gained < 1_950_000_000_000_000
    shot(studio, "sales-paid-out")


def test_a_creator_answers_and_refunds(
    site: Site, page: Page, wallet_for: Installer, creator: tuple[Page, TestWallet, str]
) -> None:
    # given a disputed sale
    studio, _, slug = creator
    wallet = wallet_for(page)
    sign_in(page, site)
    client, purchase = bought_by_api(site, wallet, slug)
    dispute = client.call("POST", f"/purchases/{purchase}/dispute", 200, {"reason": REASON})
    client.send(wallet.web3, dispute["transactions"][0])
    wait_for_status(client, f"/purchases/{purchase}", "disputed", 60)
    page.goto(f"{site.url}/purchases/{purchase}/")

    # when the creator answers from the list of sales
    studio.goto(f"{site.url}/studio/sales/")
    studio.get_by_role("link", name=re.compile("^Answer")).click()
    expect(studio.locator("[data-entry=disputed]")).to_contain_text(REASON)
    studio.get_by_role("button", name="Answer").click()
    studio.get_by_label("Your statement").fill("I see the fault and give the money back.")
    studio.locator("#answer-dialog").get_by_role("button", name="Send").click()
    expect(studio.locator("[data-entry=statement]")).to_contain_text("I see the fault")

    # then the buyer, whose page is open, reads it
    expect(page.locator("[data-entry=statement]")).to_contain_text("I see the fault", timeout=WITHIN)
    shot(studio, "sale-disputed")

    # and when the creator refunds, it arrives by itself
    studio.get_by_role("button", name="Refund").click()
    studio.locator("#confirm").get_by_role("button", name="Refund").click()
    expect(page.locator("[data-outcome=refunded]")).to_be_visible(timeout=WITHIN)
    expect(page.locator("[data-entry=withdrawn]")).to_be_visible(timeout=60_000)
    shot(page, "purchase-refunded")


def test_another_account_in_the_wallet_is_told_whose_turn_it_is(site: Site, page: Page, wallet_for: Installer) -> None:
    wallet = wallet_for(page)
    sign_in(page, site)
    _, purchase = bought_by_api(site, wallet, AGENT)
    page.goto(f"{site.url}/purchases/{purchase}/")
    payer: LocalAccount = wallet.account
    wallet.account = TestWallet(site.env["CHAIN_RPC_URL"]).account
    page.get_by_role("button", name="Release now").click()
    page.get_by_role("button", name="Release the money").click()
    expect(page.locator("#settlement > [data-problem]")).to_contain_text(
        f"Only {payer.address[:6]}…{payer.address[-4:]} can do this", timeout=WITHIN
    )
    assert "eth_sendTransaction" not in wallet.calls


@pytest.mark.parametrize("signs", [True, False])
def test_usdc_takes_one_signature_and_one_transaction_or_the_longer_way(
    site: Site, page: Page, wallet_for: Installer, signs: bool
) -> None:
    # given
    wallet = wallet_for(page)
    if not signs:
        wallet.unknown.add("eth_signTypedData_v4")
    sign_in(page, site)
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    page.request.post(
        f"{site.url}/demo-wallet/fund",
        data={"address": wallet.address},
        headers={"X-CSRFToken": token, "Referer": page.url},
    )
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("label.choice", has_text="USDC").click()

    # when
    page.locator("[data-pay]").click()

    # then
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)
    assert wallet.calls.count("eth_signTypedData_v4") == 1
    assert wallet.calls.count("eth_sendTransaction") == (1 if signs else 2)
    shown = page.locator(f"[data-step={'authorize' if signs else 'approve'}]")
    expect(shown).to_have_attribute("data-state", "done")
    expect(page.locator(f"[data-step={'approve' if signs else 'authorize'}]")).to_be_hidden()
    shot(page, f"usdc-{'signature' if signs else 'approval'}")


def test_a_declined_signature_of_a_payment_is_not_answered_with_an_approval(
    site: Site, page: Page, wallet_for: Installer
) -> None:
    wallet = wallet_for(page)
    wallet.refuse.add("eth_signTypedData_v4")
    sign_in(page, site)
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    page.request.post(
        f"{site.url}/demo-wallet/fund",
        data={"address": wallet.address},
        headers={"X-CSRFToken": token, "Referer": page.url},
    )
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("label.choice", has_text="USDC").click()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-problem-text]")).to_contain_text("You declined in your wallet", timeout=WITHIN)
    assert "eth_sendTransaction" not in wallet.calls
    wallet.refuse.clear()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)
