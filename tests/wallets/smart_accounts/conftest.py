"""Fixtures of the smart accounts' tests."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.bundler_fixtures import use_bundlers
from tests.chain_fixtures import Contracts
from tests.wallets.smart_accounts.scripted import ScriptedBundler, scripted_bundler


@pytest.fixture
def scripted(contracts: Contracts, settings: Settings) -> Iterator[ScriptedBundler]:
    """The only bundler of the local network: one that follows a script."""
    with scripted_bundler() as script:
        use_bundlers(settings, script.url)
        yield script
