"""Fixtures of the chain's own tests."""

import os
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from chain import events
from chain.bindings.escrow import Quote
from chain.tokens import NATIVE
from tests.chain.quotes import CREATOR, QuoteMaker
from tests.chain_fixtures import Contracts


@pytest.fixture(autouse=True)
def _no_other_subscribers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain knows nothing of the rooms above it, and neither do its tests."""
    monkeypatch.setattr(events, "_subscriptions", defaultdict(list))


@pytest.fixture
def make_quote(contracts: Contracts, chain_time: Callable[[], int]) -> QuoteMaker:
    """`make_quote(**changes)`: agent 7 for a day at 0.001 ether, payable by anyone within 15 minutes."""

    def make(**changes: Any) -> Quote:
        terms: dict[str, Any] = {
            "agent_id": 7,
            "creator": CREATOR,
            "buyer": NATIVE,
            "recipient": NATIVE,
            "token": NATIVE,
            "amount": 10**15,
            "access_duration": 86_400,
            "valid_until": chain_time() + 900,
            "salt": "0x" + os.urandom(32).hex(),
        }
        return Quote(**{**terms, **changes})

    return make
