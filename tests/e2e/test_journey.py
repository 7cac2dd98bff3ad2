"""The main job in a real browser: sign in with a wallet, buy, run, watch the log arrive, read the result."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from deploy.local.platform import Site
from tests.e2e.wallet import NAME, TestWallet

AGENT = "csv-profiler"
WITHIN = 30_000  # milliseconds


def sign_in_button(page: Page) -> Locator:
    """The one of the header, which who is not signed in sees."""
    return page.get_by_role("banner").get_by_role("button", name="Sign in")


def sign_in(page: Page, site: Site) -> None:
    page.goto(site.url)
    sign_in_button(page).click()
    page.get_by_role("button", name=NAME).click()
    expect(page.get_by_label(re.compile("Account menu"))).to_be_visible(timeout=WITHIN)


def test_buy_run_and_watch(
    site: Site,
    page: Page,
    wallet_for: Callable[[Page], TestWallet],
    record_property: Callable[[str, object], None],
    complaints: list[str],
) -> None:
    # given a wallet with ether, signed in
    wallet = wallet_for(page)
    sign_in(page, site)

    # when buying the agent
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    clicked = time.monotonic()
    page.locator("[data-pay]").click()
    page.wait_for_url(re.compile(r"/purchases/"), timeout=WITHIN)
    expect(page.locator("[data-step=block]")).to_have_attribute("data-state", "done", timeout=WITHIN)

    # then the purchase becomes active by itself
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)
    record_property("seconds_from_click_to_active", round(time.monotonic() - clicked, 2))
    assert wallet.calls.count("eth_sendTransaction") == 1

    # when running it on the example
    page.goto(f"{site.url}/agents/{AGENT}/run/")
    page.locator("[data-example]").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/executions/"), timeout=WITHIN)

    # then lines arrive one after the other while it runs
    status, counts = page.locator("[data-status]"), []
    lines = page.locator("[data-lines] [data-seq]")
    deadline = time.monotonic() + 60
    while status.inner_text() not in {"Succeeded", "Failed", "Timed out", "Cancelled"}:
        assert time.monotonic() < deadline, status.inner_text()
        counts.append(lines.count())
        page.wait_for_timeout(20)
    seen_while_running = sorted({count for count in counts if count})
    assert len(seen_while_running) >= 3, seen_while_running

    # and the result is shown
    expect(status).to_have_text("Succeeded")
    expect(page.get_by_role("heading", name="Result")).to_be_visible(timeout=WITHIN)
    expect(page.locator("[data-result] table").first).to_be_visible()
    assert complaints == []


def test_a_rejected_signature_leaves_nothing_half_done(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet]
) -> None:
    # given
    wallet = wallet_for(page)
    sign_in(page, site)
    wallet.refuse.add("eth_sendTransaction")

    # when
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("[data-pay]").click()

    # then the page says so and offers to go on
    expect(page.locator("[data-problem]")).to_be_visible(timeout=WITHIN)
    expect(page.locator("[data-problem-text]")).to_contain_text(re.compile("reject|declin|cancel", re.IGNORECASE))

    # and the same purchase can be paid afterwards
    wallet.refuse.clear()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)


def test_a_refused_sign_in_says_what_to_do(site: Site, page: Page, wallet_for: Callable[[Page], TestWallet]) -> None:
    wallet = wallet_for(page)
    wallet.refuse.add("personal_sign")
    page.goto(site.url)
    sign_in_button(page).click()
    page.get_by_role("button", name=NAME).click()
    expect(page.locator("#connect [data-error]")).to_be_visible(timeout=WITHIN)
    expect(page.get_by_role("button", name="Try again")).to_be_focused()


def test_not_enough_money_is_said_before_anything_is_signed(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet]
) -> None:
    wallet = wallet_for(page)
    wallet.web3.provider.make_request("anvil_setBalance", [wallet.address, hex(10**12)])  # type: ignore[arg-type]
    sign_in(page, site)
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("[data-pay]").click()
    expect(page.locator("[data-problem-text]")).to_contain_text(re.compile("ETH"), timeout=WITHIN)
    assert "eth_sendTransaction" not in wallet.calls


def test_a_wallet_on_another_network_is_asked_to_switch(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet]
) -> None:
    # given
    wallet = wallet_for(page)
    sign_in(page, site)
    wallet.chain_id = 1
    wallet.refuse.add("wallet_switchEthereumChain")

    # when
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("[data-pay]").click()

    # then
    expect(page.locator("[data-problem]")).to_be_visible(timeout=WITHIN)
    assert "eth_sendTransaction" not in wallet.calls

    # and when the person agrees to switch, the payment goes on
    wallet.refuse.clear()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)


def test_running_without_access_shows_how_to_get_it(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet]
) -> None:
    wallet_for(page)
    sign_in(page, site)
    response = page.goto(f"{site.url}/agents/{AGENT}/run/")
    assert response is not None
    assert response.status == 403
    expect(page.get_by_role("link", name="Buy access")).to_be_visible()


def test_the_demo_wallet_completes_the_journey(site: Site, page: Page) -> None:
    """A person with no wallet at all: the burner signs in, pays and is asked before each."""
    page.goto(site.url)
    sign_in_button(page).click()
    page.locator("[data-demo-list] button").click()
    approve = page.locator("#demo-wallet button.btn-primary")
    approve.click(timeout=WITHIN)
    account = page.get_by_label(re.compile("Account menu"))
    deadline = time.monotonic() + 30
    while not account.is_visible():
        assert time.monotonic() < deadline
        if approve.is_visible():
            approve.click()
        page.wait_for_timeout(100)
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("[data-pay]").click()
    approve.click(timeout=WITHIN)
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)
