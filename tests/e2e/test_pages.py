"""How the pages behave under a person's hands: keyboard, theme, search, forms, small screens, lost connections."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from deploy.local.platform import Site
from tests.e2e.test_journey import AGENT, WITHIN, sign_in, sign_in_button
from tests.e2e.wallet import TestWallet

Installer = Callable[[Page], TestWallet]


def buy(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)


class Late:
    """Holds requests back until they are let through."""

    def __init__(self) -> None:
        self._held: list[Route] = []

    def __call__(self, route: Route) -> None:
        self._held.append(route)

    def let_through(self) -> None:
        assert self._held
        for route in self._held:
            route.continue_()


def test_a_chosen_theme_lasts_and_is_there_before_anything_is_drawn(site: Site, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(site.url)
    page.get_by_role("button", name="Use the dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload(wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.get_by_role("button", name="Use the light theme")).to_be_visible()


def test_a_button_pressed_before_the_scripts_have_come_is_not_pressed_in_vain(site: Site, page: Page) -> None:
    # given a page whose scripts are still on their way
    page.route(re.compile(r"/site/ui\."), late := Late())
    page.goto(site.url, wait_until="commit")

    # when
    button = sign_in_button(page)
    button.click()
    expect(button).to_have_attribute("data-busy", "true")
    expect(page.locator("#connect")).to_be_hidden()
    late.let_through()

    # then
    expect(page.locator("#connect")).to_be_visible()
    expect(button).not_to_have_attribute("data-busy", "true")


def test_searching_as_one_types_keeps_the_page_and_its_address_honest(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.evaluate("window.__same = true")
    page.get_by_role("searchbox").press_sequentially("csv")
    page.wait_for_url(re.compile(r"/\?q=csv$"), timeout=WITHIN)
    expect(page.locator("#results article")).to_have_count(1, timeout=WITHIN)
    assert page.evaluate("window.__same") is True
    page.get_by_role("searchbox").fill("text")
    expect(page).to_have_url(re.compile(r"/\?q=text$"), timeout=WITHIN)
    page.locator("#results article a").first.click(delay=500)  # slowly: what is pressed must not be replaced meanwhile
    expect(page).to_have_url(re.compile("/agents/"), timeout=WITHIN)
    page.go_back()
    page.get_by_label("Order").select_option(label="Newest first")
    expect(page).to_have_url(re.compile(r"/\?q=text&ordering=[a-z-]+$"), timeout=WITHIN)
    page.locator(".chip", has_text="Writing").click()
    expect(page).to_have_url(re.compile(r"&category=writing"), timeout=WITHIN)
    page.get_by_role("searchbox").fill("nothing like this")
    expect(page.get_by_text("Nothing matches")).to_be_visible(timeout=WITHIN)
    page.get_by_role("link", name="Clear search and filters").click()
    expect(page.locator("#results article").first).to_be_visible(timeout=WITHIN)


def test_everything_can_be_reached_by_keyboard(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    sign_in_button(page).focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#connect")
    expect(dialog).to_be_visible()
    for _ in range(8):  # the focus never leaves the dialog for the page behind it
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#connect')")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(sign_in_button(page)).to_be_focused()


def test_pages_fit_a_phone_and_break_no_rule_of_the_policy(
    site: Site, page: Page, wallet_for: Installer, complaints: list[str]
) -> None:
    wallet_for(page)
    page.set_viewport_size({"width": 375, "height": 740})
    sign_in(page, site)
    buy(page, site)
    paths = ["/", f"/agents/{AGENT}/", f"/agents/{AGENT}/run/", "/executions/", "/profile/", "/studio/", "/agents/new/"]
    for path in paths:
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert complaints == []


def test_the_same_input_as_form_and_as_json(site: Site, page: Page, wallet_for: Installer) -> None:
    wallet_for(page)
    sign_in(page, site)
    buy(page, site)
    page.goto(f"{site.url}/agents/{AGENT}/run/")
    page.locator("textarea[name=csv]").fill('a,b\n"x ""y""",2')
    page.get_by_role("button", name="JSON").click()
    text = page.get_by_label("The whole input as JSON")
    expect(text).to_have_value(re.compile(r'"csv": "a,b\\n\\"x \\"\\"y\\"\\"\\",2"'))
    text.fill(text.input_value().replace("a,b", "c,d"))
    page.get_by_role("button", name="Form").click()
    expect(page.locator("textarea[name=csv]")).to_have_value('c,d\n"x ""y""",2')
    page.get_by_role("button", name="JSON").click()
    text.fill('{"unknown": 1}')
    page.get_by_role("button", name="Form").click()
    expect(page.get_by_text("does not fit the form's fields")).to_be_visible()
    expect(text).to_be_visible()


def test_a_file_is_loaded_into_its_field_and_a_binary_one_is_not(site: Site, page: Page, wallet_for: Installer) -> None:
    wallet_for(page)
    sign_in(page, site)
    buy(page, site)
    page.goto(f"{site.url}/agents/{AGENT}/run/")
    chooser = page.get_by_label("Load a file into CSV")
    chooser.set_input_files({"name": "t.csv", "mimeType": "text/csv", "buffer": "ä,b\n1,2".encode()})
    expect(page.locator("textarea[name=csv]")).to_have_value("ä,b\n1,2")
    chooser.set_input_files({"name": "t.bin", "mimeType": "text/csv", "buffer": b"\xff\xfe\x00"})
    expect(page.get_by_text("t.bin is not a text file in UTF-8.")).to_be_visible()
    expect(page.locator("textarea[name=csv]")).to_have_value("ä,b\n1,2")


def test_a_lost_connection_costs_no_line_of_the_log(site: Site, page: Page, wallet_for: Installer) -> None:
    """The first socket is cut as soon as it brought lines; the next one goes on from there."""
    wallet_for(page)
    sign_in(page, site)
    buy(page, site)
    opened: list[str] = []

    def cut_the_first(socket: WebSocketRoute) -> None:
        opened.append(socket.url)
        server = socket.connect_to_server()

        def pass_on(message: Any) -> None:
            socket.send(message)
            if len(opened) == 1 and '"lines"' in str(message):
                socket.close(code=1011)

        server.on_message(pass_on)

    page.route_web_socket(re.compile("/ws/executions/"), cut_the_first)
    page.goto(f"{site.url}/agents/{AGENT}/run/")
    page.locator("[data-example]").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("[data-connection]")).to_have_text("Complete", timeout=60_000)
    page.get_by_role("tab", name="Log").click()  # a log that is not in view has no rows
    expect(page.locator("[data-lines] .n").first).to_be_visible()
    numbers = [int(text) for text in page.locator("[data-lines] .n").all_text_contents()]
    assert len(opened) >= 2
    assert re.search(r"after=[1-9]", opened[1])
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 3


def test_a_reload_in_the_middle_of_paying_finds_the_place_again(site: Site, page: Page, wallet_for: Installer) -> None:
    wallet = wallet_for(page)
    sign_in(page, site)
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=sign]")).to_have_attribute("data-state", "done", timeout=WITHIN)
    page.reload()
    done = page.locator("[data-step=active][data-state=done]").or_(page.get_by_text("Paid and confirmed."))
    expect(done).to_be_visible(timeout=WITHIN)
    assert wallet.calls.count("eth_sendTransaction") == 1


def test_another_account_in_the_wallet_is_said_out_loud(site: Site, page: Page, wallet_for: Installer) -> None:
    wallet_for(page)
    sign_in(page, site)
    expect(page.locator("#wallet-notice")).to_be_hidden()
    # The page listens once it has found the wallet again; a wallet that changes later is what this is about.
    page.wait_for_function(
        """() => {
          window.__emitWalletEvent("accountsChanged", ["0x000000000000000000000000000000000000dEaD"]);
          return !document.getElementById("wallet-notice").hidden;
        }"""
    )
    expect(page.locator("#wallet-notice")).to_contain_text("Your wallet is now on 0x0000…dEaD")


def test_signing_in_returns_to_where_one_was_going(site: Site, page: Page, wallet_for: Installer) -> None:
    wallet_for(page)
    page.goto(f"{site.url}/studio/")
    expect(page.locator("#connect")).to_be_visible()
    page.get_by_role("button", name="Test Wallet").click()
    page.wait_for_url(f"{site.url}/studio/", timeout=WITHIN)
    expect(page.get_by_role("heading", name="Studio")).to_be_visible()


def test_without_a_wallet_the_dialog_says_what_to_do(site: Site, page: Page) -> None:
    page.goto(site.url)
    sign_in_button(page).click()
    expect(page.get_by_text("No wallet found in this browser")).to_be_visible()
    expect(page.get_by_role("button", name="Demo wallet")).to_be_visible()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_no_link_can_send_a_person_elsewhere_after_signing_in(
    site: Site, page: Page, wallet_for: Installer, address: str
) -> None:
    wallet_for(page)
    page.goto(f"{site.url}/?connect=1&next={address}")
    page.get_by_role("button", name="Test Wallet").click()
    expect(page.get_by_label(re.compile("Account menu"))).to_be_visible(timeout=WITHIN)
    assert page.url.startswith(site.url)


def test_after_declining_one_may_pay_in_another_token(site: Site, page: Page, wallet_for: Installer) -> None:
    """The offer that was left is not paid; the new one is for the other token."""
    wallet = wallet_for(page)
    sign_in(page, site)
    page.request.post(f"{site.url}/demo-wallet/fund", data={"address": wallet.address}, headers=csrf(page))
    wallet.refuse.add("eth_sendTransaction")
    page.goto(f"{site.url}/agents/{AGENT}/buy/")
    page.locator("[data-pay]").click()
    expect(page.locator("[data-problem]")).to_be_visible(timeout=WITHIN)
    left = page.url
    page.locator("label.choice", has_text="USDC").click()
    expect(page.locator("[data-problem]")).to_be_hidden()
    expect(page.locator("[data-total]")).to_contain_text("USDC")
    wallet.refuse.clear()
    page.locator("[data-pay]").click()
    expect(page.locator("[data-step=active]")).to_have_attribute("data-state", "done", timeout=WITHIN)
    assert page.url != left
    assert wallet.calls.count("eth_sendTransaction") == 2  # declined, payment
    assert wallet.calls.count("eth_signTypedData_v4") == 1
    page.goto(left)
    expect(page.get_by_text("Not paid yet")).to_be_visible()


def csrf(page: Page) -> dict[str, str]:
    token = page.locator('meta[name="csrf-token"]').get_attribute("content")
    assert token
    return {"X-CSRFToken": token, "Referer": page.url}
