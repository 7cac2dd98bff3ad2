"""A file in a real browser: dropped onto the form, run on, and the files that come of it saved."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from deploy.local.platform import Site
from tests.e2e.test_journey import sign_in
from tests.e2e.test_pages import buy
from tests.e2e.wallet import TestWallet

AGENT = "csv-profiler"
WITHIN = 60_000  # milliseconds
CSV = b"id,city,amount\n1,Graz,5\n2, Graz,7\n3,Wien,n/a\n"
DROP = """([zone, name, text]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], name, {type: "text/csv"}));
  const event = {dataTransfer: carried, bubbles: true, cancelable: true};
  for (const kind of ["dragover", "drop"]) zone.dispatchEvent(new DragEvent(kind, event));
}"""


def test_a_file_goes_in_and_files_come_out(
    site: Site, page: Page, wallet_for: Callable[[Page], TestWallet], complaints: list[str]
) -> None:
    wallet_for(page)
    sign_in(page, site)
    buy(page, site)
    page.goto(f"{site.url}/agents/{AGENT}/run/")
    zone = page.locator("[data-file-field]")
    # when it is something else, a sentence says so, and it can be removed
    chooser = page.get_by_label("Choose a file")
    chooser.set_input_files({"name": "orders.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(40)})
    expect(zone).to_contain_text("orders.csv is image/png by its content; text/csv is asked for.")
    complaints.clear()  # the browser notes the refusal
    zone.get_by_role("button", name="Remove orders.csv").click()
    expect(zone.locator("li")).to_have_count(0)
    # when the right one is dropped, it is there with its name and size, and the form keeps it in both its ways
    page.evaluate(DROP, [zone.element_handle(), "orders.csv", CSV.decode()])
    expect(zone.locator("li")).to_contain_text(f"orders.csv {len(CSV)} bytes")
    expect(page.locator("[name=file]")).to_have_value(re.compile(r"[0-9a-f-]{36}"))
    page.get_by_role("button", name="JSON").click()
    document = json.loads(page.get_by_label("The whole input as JSON").input_value())
    assert re.fullmatch(r"[0-9a-f-]{36}", document["file"])
    page.get_by_role("button", name="Form").click()
    expect(zone.locator("li")).to_contain_text("orders.csv")
    # then the run has it
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url(re.compile(r"/executions/"), timeout=WITHIN)
    expect(page.locator("[data-status]")).to_have_text("Succeeded", timeout=WITHIN)
    result = page.locator("#panel-result")
    expect(result).to_contain_text("orders-report.html")
    expect(result).to_contain_text("orders-cleaned.csv")
    # and what came of it can be saved
    with page.expect_download() as saved:
        result.get_by_label("Download orders-cleaned.csv").click()
    assert Path(saved.value.path()).read_text() == "id,city,amount\n1,Graz,5\n2,Graz,7\n3,Wien,\n"
    assert saved.value.suggested_filename == "orders-cleaned.csv"
    page.get_by_role("tab", name="Input").click()
    with page.expect_download() as saved:
        page.get_by_label("Download orders.csv").click()
    assert Path(saved.value.path()).read_bytes() == CSV
    assert complaints == []
