"""What tests of money leaving the escrow share: paid purchases, and the platform's own hands moved step by step."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from eth_account.signers.local import LocalAccount

from chain.rpc import pool_of
from marketplace.models import Agent, Exit, Purchase
from marketplace.payouts.exits import settle
from marketplace.purchases.operations import deposit_calls, quote
from tests.chain.test_outbox import Sender
from tests.chain_fixtures import Contracts, TestListener, send_call
from wallets.models import User

DAY = 24 * 3600
# After the dispute window of three days, and after the hold period of thirty more.
RELEASABLE, EXPIRED = 3 * DAY, 33 * DAY


class Platform:
    """Beat, outbox and listener of the test chain, each stepped by hand."""

    def __init__(self, contracts: Contracts, listener: TestListener) -> None:
        self.contracts, self.listener = contracts, listener
        self.sender = Sender(contracts.network)

    def sweep(self) -> int:
        """One run of the beat task, as if every waiting time were over."""
        Exit.objects.update(next_at=timezone.now() - timedelta(seconds=1))
        return settle()

    def work(self, rounds: int = 1) -> None:
        """Everybody once: beat, outbox, some blocks, listener."""
        for _ in range(rounds):
            self.sweep()
            self.sender.step()
            self.listener.confirm()
            self.sender.step()


def account_of(user: User) -> LocalAccount:
    """The key of a test user's wallet."""
    account: LocalAccount = user.account  # type: ignore[attr-defined]
    return account


def with_gas(user: User, contracts: Contracts) -> LocalAccount:
    """The user's key, with ether to send transactions."""
    account = account_of(user)
    pool_of(contracts.network).call("anvil_setBalance", account.address, hex(10**18))
    return account


def buy(buyer: User, agent: Agent, contracts: Contracts, symbol: str = "ETH") -> Purchase:
    """Quote and deposit; mined, not read yet."""
    purchase = quote(buyer, agent, symbol, payer=buyer.primary_address)
    for step in deposit_calls(purchase, buyer.primary_address):
        send_call(contracts.network, step.call, account_of(buyer))
    return purchase


def fresh(purchase: Purchase) -> Purchase:
    """As the database has it now."""
    return Purchase.objects.select_related("agent").get(pk=purchase.pk)


def exit_of(purchase: Purchase, kind: str) -> Exit:
    """The automatic step of this kind, as the database has it now."""
    return Exit.objects.select_related("transaction").get(purchase=purchase, kind=kind)


def steps_of(purchase: Purchase) -> dict[str, str]:
    """The status of each automatic step."""
    return dict(Exit.objects.filter(purchase=purchase).values_list("kind", "status"))


@pytest.fixture
def platform(contracts: Contracts, listener: TestListener) -> Platform:
    """Beat, outbox and listener, stepped by hand."""
    return Platform(contracts, listener)


@pytest.fixture
def bought(agent: Agent, rich_buyer: User, contracts: Contracts, listener: TestListener) -> Purchase:
    """A purchase in ether, paid and confirmed."""
    purchase = buy(rich_buyer, agent, contracts)
    listener.confirm()
    return fresh(purchase)


@pytest.fixture
def later(contracts: Contracts, listener: TestListener, mine: Callable[..., None]) -> Callable[[int], None]:
    """`later(seconds)`: so much time passes on the chain, and the listener reads up to its head."""

    def pass_by(seconds: int) -> None:
        mine(1, seconds=seconds)
        listener.confirm()

    return pass_by


Later = Callable[[int], None]
Send = Callable[..., dict[str, Any]]
