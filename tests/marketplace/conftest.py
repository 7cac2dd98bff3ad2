"""People and agents that the marketplace's tests share."""

import pytest
from eth_account import Account

from chain.artefacts import TEST_USDC
from chain.bindings.erc20 import Erc20
from chain.models import Deployment
from chain.rpc import pool_of
from marketplace.catalogue import verdicts
from marketplace.models import Agent, AgentVersion
from tests.account_fixtures import user_with_wallet
from tests.chain_fixtures import Contracts, send_call
from tests.factories.marketplace import CategoryFactory, PublishedAgentFactory
from tests.marketplace.settling import bought, later, platform
from wallets.models import User

__all__ = ["bought", "later", "platform"]  # fixtures that live beside their helpers


@pytest.fixture(autouse=True)
def _images_are_accepted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version is accepted at once, as if a machine had looked at its image; not where tests are marked
    `unchecked`."""
    if "unchecked" not in request.keywords:
        monkeypatch.setattr(verdicts, "first_verdict", lambda kind: AgentVersion.Verdict.ACCEPTED)


@pytest.fixture
def creator(db: None) -> User:
    """Somebody with one wallet; `creator.account` signs for it."""
    user = user_with_wallet()
    user.display_name = "Grace"  # which no piece of an address can be
    user.save()
    return user


@pytest.fixture
def buyer(db: None) -> User:
    """Somebody with one wallet; `buyer.account` signs for it."""
    return user_with_wallet()


@pytest.fixture
def rich_buyer(buyer: User, contracts: Contracts) -> User:
    """`buyer` with 10 ETH and 1,000 USDC."""
    fund(contracts, buyer.primary_address or "", eth=10**19, usdc=10**9)
    return buyer


def fund(contracts: Contracts, address: str, *, eth: int = 0, usdc: int = 0) -> None:
    """Give an address wei and USDC base units on the test chain."""
    pool_of(contracts.network).call("anvil_setBalance", address, hex(eth + 10**18))
    if usdc:
        minter = Account.create()
        pool_of(contracts.network).call("anvil_setBalance", minter.address, hex(10**18))
        send_call(contracts.network, Erc20(contracts.network, contracts.usdc).encode_mint(address, usdc), minter)
    pool_of(contracts.network).call("anvil_setBalance", address, hex(eth))


@pytest.fixture
def agent(creator: User) -> Agent:
    """On sale for 0.01 ETH, with a live version 1.0.0."""
    return PublishedAgentFactory.create(
        creator=creator, category=CategoryFactory.create(slug="writing"), name="Text Summariser", slug="text-summariser"
    )


@pytest.fixture
def usdc(db: None) -> str:
    """The address of a USDC known on the local network, for tests that send nothing to the chain."""
    address = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    Deployment.objects.create(network="local", contract=TEST_USDC, address=address, block_number=1)
    return address
