"""Asking for a quote."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from eth_account import Account

from chain.bindings.escrow import Quote
from chain.errors import NotDeployedError, RpcUnavailableError, UnknownTokenError
from chain.tokens import NATIVE
from marketplace.errors import (
    AlreadyOwnedError,
    IdempotencyConflictError,
    InsufficientBalanceError,
    InvalidPurchaseError,
    MarketplaceError,
    NotForSaleError,
    OwnAgentError,
)
from marketplace.models import Agent, Purchase
from marketplace.purchases.operations import quote, quote_of
from tests.chain_fixtures import Contracts
from tests.factories.marketplace import (
    AgentPriceFactory,
    AgentVersionFactory,
    PublishedAgentFactory,
    grant_access,
)
from tests.factories.wallets import LinkedWalletFactory, UserFactory
from wallets.models import User


def test_quote_fixes_every_term(agent: Agent, buyer: User, contracts: Contracts) -> None:
    Agent.objects.filter(pk=agent.pk).update(access_duration=2_592_000)
    before = timezone.now()
    purchase = quote(buyer, agent, "ETH")
    stored = Purchase.objects.select_related("agent").get()
    assert stored.pk == purchase.pk
    assert stored.status == "quoted"
    assert (stored.buyer, stored.agent) == (buyer, agent)
    assert (stored.network, stored.token, stored.amount) == ("local", NATIVE, 10**16)
    assert (stored.fee_bps, stored.quoted_fee_bps) == (settings.PLATFORM_FEE_BPS, settings.PLATFORM_FEE_BPS)
    assert stored.access_duration == 2_592_000
    assert stored.creator_address == agent.creator.primary_address
    assert stored.recipient == buyer.primary_address
    assert stored.bound_payer is None
    assert stored.valid_until.microsecond == 0
    slack = stored.valid_until - before - timedelta(seconds=settings.QUOTE_SECONDS)
    assert timedelta(seconds=-1) <= slack <= timedelta(seconds=5)
    assert quote_of(stored) == Quote(
        agent_id=agent.onchain_id,
        creator=stored.creator_address,
        buyer=NATIVE,
        recipient=stored.recipient,
        token=NATIVE,
        amount=10**16,
        access_duration=2_592_000,
        valid_until=int(stored.valid_until.timestamp()),
        salt=stored.salt,
    )


def test_payment_id_is_the_contracts_digest_and_the_signature_its_signers(
    agent: Agent, buyer: User, contracts: Contracts
) -> None:
    purchase = quote(buyer, agent, "ETH")
    on_chain = contracts.escrow.contract.read("hashQuote", quote_of(purchase).members())
    assert purchase.payment_id == "0x" + bytes(on_chain).hex()
    signer = Account._recover_hash(bytes(on_chain), signature=purchase.signature)
    assert signer == contracts.escrow.contract.read("quoteSigner")


def test_two_quotes_are_two_payments(agent: Agent, buyer: User, contracts: Contracts) -> None:
    assert quote(buyer, agent, "ETH").payment_id != quote(buyer, agent, "ETH").payment_id


def test_named_recipient_and_payer_are_bound(agent: Agent, rich_buyer: User, contracts: Contracts) -> None:
    other = LinkedWalletFactory.create(user=rich_buyer, is_primary=False).address
    purchase = quote(rich_buyer, agent, NATIVE, recipient=other.lower(), payer=rich_buyer.primary_address)
    assert (purchase.recipient, purchase.bound_payer) == (other, rich_buyer.primary_address)
    assert quote_of(purchase).buyer == rich_buyer.primary_address


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"recipient": Account.create().address}, "recipient", "This is not one of your wallets."),
        ({"recipient": "0x12"}, "recipient", "Enter an address: 0x followed by 40 hexadecimal digits."),
        ({"recipient": NATIVE}, "recipient", "The zero address is nobody's."),
        ({"payer": "nonsense"}, "payer", "Enter an address: 0x followed by 40 hexadecimal digits."),
        ({"payer": NATIVE}, "payer", "The zero address is nobody's."),
        ({"idempotency_key": ""}, "idempotency_key", "Use 1 to 100 visible ASCII characters without spaces."),
        ({"idempotency_key": "a b"}, "idempotency_key", "Use 1 to 100 visible ASCII characters without spaces."),
        ({"idempotency_key": "k" * 101}, "idempotency_key", "Use 1 to 100 visible ASCII characters without spaces."),
    ],
)
def test_refused_value_is_named(
    agent: Agent, buyer: User, contracts: Contracts, values: dict[str, str], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidPurchaseError) as caught:
        quote(buyer, agent, "ETH", **values)
    assert caught.value.fields == {field: sentence}
    assert not Purchase.objects.exists()


def refused(expected: type[MarketplaceError], buyer: User, agent: Agent, coin: str = "ETH") -> str:
    with pytest.raises(expected) as caught:
        quote(buyer, agent, coin)
    assert not Purchase.objects.exists()
    return caught.value.message


def test_own_agent(agent: Agent, creator: User, contracts: Contracts) -> None:
    assert refused(OwnAgentError, creator, agent) == "This is your own agent: you can run it without buying."


@pytest.mark.parametrize("status", ["draft", "suspended", "archived"])
def test_unpublished_agent(agent: Agent, buyer: User, contracts: Contracts, status: str) -> None:
    Agent.objects.filter(pk=agent.pk).update(status=status)
    assert refused(NotForSaleError, buyer, agent) == "This agent is not for sale."


def test_suspended_creator(agent: Agent, buyer: User, contracts: Contracts) -> None:
    User.objects.filter(pk=agent.creator_id).update(is_suspended=True)
    assert refused(NotForSaleError, buyer, agent) == "This agent is not for sale."


def test_agent_without_version(agent: Agent, buyer: User, contracts: Contracts) -> None:
    agent.versions.update(status="withdrawn")
    assert "no version that can run" in refused(NotForSaleError, buyer, agent)


def test_no_price_in_that_token(agent: Agent, buyer: User, contracts: Contracts) -> None:
    assert refused(NotForSaleError, buyer, agent, "USDC") == "This agent is not sold in USDC."


def test_unknown_token(agent: Agent, buyer: User, contracts: Contracts) -> None:
    with pytest.raises(UnknownTokenError):
        quote(buyer, agent, "DOGE")


def test_creator_without_wallet(agent: Agent, buyer: User, contracts: Contracts) -> None:
    agent.creator.wallets.all().delete()
    assert "no wallet to be paid to" in refused(NotForSaleError, buyer, agent)


def test_buyer_without_wallet(agent: Agent, contracts: Contracts) -> None:
    message = refused(InvalidPurchaseError, UserFactory.create(), agent)
    assert message == "Link a wallet first: access belongs to a wallet."


def test_lifetime_access_is_not_sold_twice(agent: Agent, buyer: User, contracts: Contracts) -> None:
    grant_access(buyer, agent)
    assert refused(AlreadyOwnedError, buyer, agent) == "You have access to this agent for ever already. Run it."


def test_lifetime_access_that_is_paid_and_not_confirmed_is_not_sold_twice(
    agent: Agent, buyer: User, contracts: Contracts
) -> None:
    access = grant_access(buyer, agent)
    access.expires_at = 0
    access.save()
    message = "You have paid for this agent; your access opens when the payment is confirmed."
    assert refused(AlreadyOwnedError, buyer, agent) == message


def test_access_that_ends_may_be_extended(agent: Agent, buyer: User, contracts: Contracts) -> None:
    grant_access(buyer, agent, int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()))
    assert quote(buyer, agent, "ETH").status == "quoted"


@pytest.mark.django_db
def test_contracts_not_deployed(buyer: User) -> None:
    with pytest.raises(NotDeployedError):
        quote(buyer, PublishedAgentFactory.create(), "ETH")
    assert not Purchase.objects.exists()


def test_balance_of_the_payer_is_checked_in_ether(agent: Agent, buyer: User, contracts: Contracts) -> None:
    contracts.web3.provider.make_request("anvil_setBalance", [buyer.primary_address, hex(10**15)])  # type: ignore[arg-type]
    with pytest.raises(InsufficientBalanceError) as caught:
        quote(buyer, agent, "ETH", payer=buyer.primary_address)
    assert (caught.value.needed, caught.value.available) == (10**16, 10**15)
    assert caught.value.fields == {"needed": str(10**16), "available": str(10**15)}
    assert caught.value.message == (
        "The wallet holds 0.001 ETH, and the price is 0.01 ETH. Add at least 0.009 ETH, or pay from another wallet."
    )
    assert not Purchase.objects.exists()


def test_balance_of_the_payer_is_checked_in_usdc(agent: Agent, rich_buyer: User, contracts: Contracts) -> None:
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=10**9 + 1)
    with pytest.raises(InsufficientBalanceError) as caught:
        quote(rich_buyer, agent, "USDC", payer=rich_buyer.primary_address)
    assert (caught.value.needed, caught.value.available) == (10**9 + 1, 10**9)
    agent.prices.filter(token=contracts.usdc.address).update(amount=10**9)
    assert quote(rich_buyer, agent, "USDC", payer=rich_buyer.primary_address).amount == 10**9


def test_node_away_leaves_nothing_behind(
    agent: Agent, buyer: User, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> int:
        raise RpcUnavailableError("The node does not answer. Try again.")

    monkeypatch.setattr("chain.bindings.escrow.Escrow.fee_bps", away)
    with pytest.raises(RpcUnavailableError):
        quote(buyer, agent, "ETH")
    assert not Purchase.objects.exists()


def test_same_key_and_body_give_the_same_purchase(agent: Agent, buyer: User, contracts: Contracts) -> None:
    first = quote(buyer, agent, "ETH", idempotency_key="k1")
    agent.prices.update(amount=5)
    Agent.objects.filter(pk=agent.pk).update(status="suspended")
    again = quote(buyer, agent, NATIVE, idempotency_key="k1")
    assert (again.pk, again.amount, again.signature) == (first.pk, 10**16, first.signature)


def test_same_key_survives_a_change_of_primary_wallet(agent: Agent, buyer: User, contracts: Contracts) -> None:
    first = quote(buyer, agent, "ETH", idempotency_key="k1")
    buyer.wallets.update(is_primary=False)
    LinkedWalletFactory.create(user=buyer)
    assert quote(buyer, agent, "ETH", idempotency_key="k1").pk == first.pk


def test_same_key_and_other_body_conflict(agent: Agent, rich_buyer: User, contracts: Contracts) -> None:
    buyer = rich_buyer
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=5)
    other_agent = PublishedAgentFactory.create()
    other_wallet = LinkedWalletFactory.create(user=buyer, is_primary=False).address
    quote(buyer, agent, "ETH", idempotency_key="k1")
    others: tuple[dict[str, Any], ...] = (
        {"agent": other_agent, "token": "ETH"},
        {"agent": agent, "token": "USDC"},
        {"agent": agent, "token": "ETH", "recipient": other_wallet},
        {"agent": agent, "token": "ETH", "payer": buyer.primary_address},
    )
    for asked in others:
        with pytest.raises(IdempotencyConflictError):
            quote(buyer, idempotency_key="k1", **asked)
    assert Purchase.objects.count() == 1


def test_key_belongs_to_its_buyer(agent: Agent, buyer: User, stranger: User, contracts: Contracts) -> None:
    first = quote(buyer, agent, "ETH", idempotency_key="k1")
    assert quote(stranger, agent, "ETH", idempotency_key="k1").pk != first.pk


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_requests_with_one_key_make_one_purchase(
    agent: Agent, buyer: User, contracts: Contracts
) -> None:
    def ask(_: int) -> str:
        try:
            return str(quote(buyer, agent, "ETH", idempotency_key="once").pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(ask, range(50)))
    assert answers == {str(Purchase.objects.get().pk)}


def test_version_that_runs_is_any_live_one(agent: Agent, buyer: User, contracts: Contracts) -> None:
    agent.versions.update(status="withdrawn")
    AgentVersionFactory.create(agent=agent, number="0.0.1")
    assert quote(buyer, agent, "ETH").status == "quoted"
