"""Buying from a smart account: one operation, a real bundler, and access that is the account's and so the user's."""

from typing import Any

import pytest

from chain.networks import default_network
from deploy.local.engines import Alto
from marketplace.models import Agent, Purchase
from marketplace.purchases.access import Reason, has_access
from tests.account_fixtures import ApiFor
from tests.chain_fixtures import Contracts, TestListener
from tests.factories.marketplace import AgentPriceFactory
from tests.factories.wallets import UserFactory
from tests.marketplace.conftest import fund
from tests.wallets.smart_accounts.authenticator import Authenticator
from tests.wallets.smart_accounts.helpers import account_of, signed, wait_for
from wallets.models import SmartAccount, User, UserOperation
from wallets.signin import linked
from wallets.smart_accounts import accounts, passkeys

pytestmark = pytest.mark.django_db


def order(api: ApiFor, buyer: User, agent: Agent, account: SmartAccount, currency: str = "ETH") -> dict[str, Any]:
    """The answer to a quote that the account is to pay."""
    body = {"agent": agent.slug, "token": currency, "payer": account.address}
    response = api(buyer).post("/api/v1/purchases", body, headers={"Idempotency-Key": "once"})
    assert response.status_code == 201, response.json()
    return dict(response.json())


def handed_over(api: ApiFor, buyer: User, operation: dict[str, Any], proof: dict[str, Any]) -> UserOperation:
    """Submit the owner's signature by the API, and wait until the chain has it."""
    response = api(buyer).post(f"/api/v1/user-operations/{operation['id']}/submit", proof)
    assert response.status_code == 200, response.json()
    return wait_for(UserOperation.objects.select_related("account").get(pk=operation["id"]), "included")


@pytest.mark.parametrize("token", ["ETH", "USDC"])
def test_from_quote_to_access(
    agent: Agent, buyer: User, bundler: Alto, contracts: Contracts, listener: TestListener, api: ApiFor, token: str
) -> None:
    # given a smart account with the price and nothing for gas
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=5_000_000)
    account = account_of(buyer, eth=0)
    fund(contracts, account.address, eth=10**16 if token == "ETH" else 0, usdc=0 if token == "ETH" else 5_000_000)

    # when
    answer = order(api, buyer, agent, account, token)
    operation = answer["user_operation"]
    assert operation["purpose"] == f"Access to {agent.name}"
    assert operation["is_sponsored"] is True
    assert len(operation["calls"]) == (1 if token == "ETH" else 2)
    row = UserOperation.objects.get(pk=operation["id"])
    handed_over(api, buyer, operation, {"signature": signed(buyer.account, row)})  # type: ignore[attr-defined]
    listener.confirm()

    # then
    purchase = Purchase.objects.get(pk=answer["id"])
    assert (purchase.status, purchase.payer, purchase.recipient) == ("active", account.address, account.address)
    assert has_access(buyer, agent).reason == Reason.ENTITLEMENT

    # and with the wallet goes its account
    UserFactory.create()
    buyer.set_password("correct-horse-battery")
    buyer.email = "bob@example.org"
    buyer.save()
    buyer.emailaddress_set.create(email=buyer.email, verified=True, primary=True)  # type: ignore[attr-defined]
    linked.unlink(buyer, buyer.primary_address or "")
    assert has_access(User.objects.get(pk=buyer.pk), agent).reason == Reason.NO_WALLET


def test_somebody_without_a_wallet_buys_with_a_passkey(
    agent: Agent, bundler: Alto, contracts: Contracts, listener: TestListener, api: ApiFor
) -> None:
    # given
    person = UserFactory.create(email="ann@example.org")
    authenticator = Authenticator()
    made = authenticator.register(passkeys.registration_options(person))
    account = accounts.open_for_passkey(person, passkeys.registered(person, made), default_network())
    fund(contracts, account.address, eth=10**16)

    # when
    answer = order(api, person, agent, account)
    proof = {"assertion": authenticator.sign(bytes.fromhex(answer["user_operation"]["user_op_hash"][2:]))}
    handed_over(api, person, answer["user_operation"], proof)
    listener.confirm()

    # then
    assert Purchase.objects.get().status == "active"
    assert has_access(person, agent).allowed


def test_a_quote_for_a_wallet_holds_no_operation(agent: Agent, rich_buyer: User, bundler: Alto, api: ApiFor) -> None:
    body = {"agent": agent.slug, "token": "ETH", "payer": rich_buyer.primary_address}
    answer = api(rich_buyer).post("/api/v1/purchases", body).json()
    assert answer["user_operation"] is None
    assert answer["recipient"] == rich_buyer.primary_address


def test_nobody_pays_from_the_account_of_another(
    agent: Agent, buyer: User, rich_buyer: User, stranger: User, bundler: Alto, contracts: Contracts, api: ApiFor
) -> None:
    other = account_of(stranger)
    body = {"agent": agent.slug, "token": "ETH", "payer": other.address}
    answer = api(rich_buyer).post("/api/v1/purchases", body).json()
    assert answer["user_operation"] is None
    assert answer["recipient"] == rich_buyer.primary_address


def test_the_price_must_be_there(agent: Agent, buyer: User, bundler: Alto, api: ApiFor) -> None:
    account = account_of(buyer, eth=10**15)
    body = {"agent": agent.slug, "token": "ETH", "payer": account.address}
    response = api(buyer).post("/api/v1/purchases", body)
    assert (response.status_code, response.json()["code"]) == (422, "insufficient_balance")
