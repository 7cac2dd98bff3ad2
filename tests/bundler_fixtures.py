"""Pytest plugin: a real bundler (alto) on the test chain, started by the first test that asks for it."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from deploy.local.engines import Alto
from tests.chain_fixtures import Contracts

IDLE_SECONDS = 15


@pytest.fixture(scope="session")
def _alto(_deployments: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alto]:
    """Started before any test's snapshot of the chain, as it deploys contracts of its own."""
    engine = Alto(tmp_path_factory.mktemp("bundler"), os.environ["CHAIN_RPC_URL"])
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def bundler(_alto: Alto, contracts: Contracts, settings: Settings) -> Iterator[Alto]:
    """The bundler of the local network in this test.

    Before the chain is set back the bundler has seen the end of what it sent: it would wait for that in the next test.
    """
    use_bundlers(settings, _alto.url)
    yield _alto
    deadline = time.monotonic() + IDLE_SECONDS
    while not _alto.idle():
        assert time.monotonic() < deadline, f"the bundler still waits for something; its log is {_alto.log}"


def use_bundlers(settings: Settings, *urls: str) -> None:
    """Have the local network use these bundlers."""
    local = {**settings.NETWORKS["local"], "bundler_urls": list(urls)}
    settings.NETWORKS = {**settings.NETWORKS, "local": local}
