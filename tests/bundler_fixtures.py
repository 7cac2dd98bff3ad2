"""Pytest plugin: a real bundler (alto) on the test chain, started by the first test that asks for it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from deploy.local.engines import Alto
from tests.chain_fixtures import Contracts


@pytest.fixture(scope="session")
def _alto(_deployments: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alto]:
    """Started before any test's snapshot of the chain, as it deploys contracts of its own."""
    engine = Alto(tmp_path_factory.mktemp("bundler"), os.environ["CHAIN_RPC_URL"])
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def bundler(_alto: Alto, contracts: Contracts, settings: Settings) -> Alto:
    """The bundler of the local network in this test."""
    use_bundlers(settings, _alto.url)
    return _alto


def use_bundlers(settings: Settings, *urls: str) -> None:
    """Have the local network use these bundlers."""
    local = {**settings.NETWORKS["local"], "bundler_urls": list(urls)}
    settings.NETWORKS = {**settings.NETWORKS, "local": local}
