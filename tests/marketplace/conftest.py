"""People and agents that the marketplace's tests share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from chain.artefacts import TEST_USDC
from chain.models import Deployment
from marketplace.models import Agent
from tests.factories.marketplace import CategoryFactory, CreatorFactory, PublishedAgentFactory
from tests.factories.wallets import StaffFactory
from wallets.models import User


@pytest.fixture(autouse=True)
def _no_spent_limits() -> Iterator[None]:
    """Rate limits count in Redis, which tests share."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def creator(db: None) -> User:
    return CreatorFactory.create(display_name="Ada")


@pytest.fixture
def buyer(db: None) -> User:
    return CreatorFactory.create(display_name="Bob")


@pytest.fixture
def stranger(db: None) -> User:
    return CreatorFactory.create(display_name="Eve")


@pytest.fixture
def staff(db: None) -> User:
    return StaffFactory.create()


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


@pytest.fixture
def api() -> APIClient:
    """A client nobody is signed in with."""
    return APIClient()


def signed_in(user: User) -> APIClient:
    """A client with `user` signed in."""
    client = APIClient()
    client.force_authenticate(user)
    return client
