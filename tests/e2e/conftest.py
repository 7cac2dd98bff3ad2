"""The whole platform as `make up` runs it, shared by the workers of a run, and a browser with a wallet."""

import asyncio
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page

from deploy.local.platform import Site
from tests.e2e import serve
from tests.e2e.wallet import TestWallet

SHARED = pytest.StashKey[serve.Shared]()
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(180))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Every worker collects the same tests: all hold the platform before any of them can have ended."""
    wanted = any("site" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and not session.config.option.collectonly:
        first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
        session.config.stash[SHARED] = serve.hold(start=first)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if shared := session.config.stash.get(SHARED, None):
        shared.release()


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config) -> Site:
    """Engines, contracts, sample agents and every process of the Procfile. Tests at the same time use the same one."""
    return pytestconfig.stash[SHARED].site()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program, "Chromium is missing: run `make test`, or set CHROMIUM to the program's path."
    return {"executable_path": program, "args": FLAGS, "headless": True}


# Playwright leaves its loop marked as running in this thread. Asynchronous tests elsewhere have loops of their own, and
# Django keeps other connections with a running loop than without: the mark holds from a browser test's first fixture to
# its last, and nowhere else.
_parked: dict[str, asyncio.AbstractEventLoop] = {}


@pytest.fixture(scope="session")
def browser(launch_browser: Callable[[], Browser]) -> Iterator[Browser]:
    """As pytest-playwright's, but closed with its loop in place."""
    browser = launch_browser()
    _parked["loop"] = asyncio.get_running_loop()
    yield browser
    asyncio._set_running_loop(_parked["loop"])
    browser.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    asyncio._set_running_loop(_parked.get("loop"))
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        connections.close_all()
        asyncio._set_running_loop(None)


@pytest.fixture
def wallet_for(site: Site) -> Callable[[Page], TestWallet]:
    """A funded wallet announced on the given page."""

    def install(page: Page) -> TestWallet:
        wallet = TestWallet(site.env["CHAIN_RPC_URL"])
        wallet.install(page)
        return wallet

    return install


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complained of; tests assert that it is nothing."""
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # The machine's network changes whenever somebody makes a container: the page is not to blame, and asks again.
        if message.type == "error" and "ERR_NETWORK_CHANGED" not in message.text:
            found.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found
