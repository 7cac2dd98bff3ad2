"""Purchases paid, confirmed, settled and undone on a real chain, as the listener reads it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from eth_account.signers.local import LocalAccount

from chain.bindings.entitlements import LIFETIME
from chain.keys import LocalSigner
from chain.models import Event
from marketplace.errors import QuoteOverError
from marketplace.models import Agent, Entitlement, EscrowFact, Purchase
from marketplace.purchases.access import Reason, has_access
from marketplace.purchases.operations import StepKind, deposit_calls, quote
from tests.chain_fixtures import Contracts, TestListener
from tests.factories.marketplace import AgentPriceFactory
from wallets.models import User

Send = Callable[..., dict[str, Any]]
REASON = "0x" + "ab" * 32


@pytest.fixture
def paid(agent: Agent, rich_buyer: User, contracts: Contracts, send: Send) -> Purchase:
    """A purchase in ether whose deposit is mined and not read yet."""
    purchase = quote(rich_buyer, agent, "ETH")
    pay(purchase, rich_buyer.account, send)  # type: ignore[attr-defined]
    return purchase


def pay(purchase: Purchase, account: LocalAccount, send: Send) -> dict[str, Any]:
    """Send every step; the receipt of the deposit."""
    receipt: dict[str, Any] = {}
    for step in deposit_calls(purchase, account.address):
        receipt = send(step.call, account)
    return receipt


def test_ether_from_quote_to_access(
    agent: Agent, rich_buyer: User, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    buyer = rich_buyer
    purchase = quote(buyer, agent, "ETH", payer=buyer.primary_address)
    steps = deposit_calls(purchase, buyer.primary_address)
    assert [(step.kind, step.call.to, step.call.value) for step in steps] == [
        (StepKind.DEPOSIT, contracts.escrow.address, 10**16)
    ]
    receipt = send(steps[0].call, buyer.account)  # type: ignore[attr-defined]

    listener.catch_up()
    purchase.refresh_from_db()
    agent.refresh_from_db()
    on_chain = contracts.escrow.payment(purchase.payment_id)
    assert purchase.status == "deposited"
    assert purchase.payer == buyer.primary_address
    assert purchase.deposit_tx_hash == _hex(receipt["transactionHash"])
    assert purchase.deposit_block == _number(receipt["blockNumber"])
    assert purchase.deposited_at == datetime.fromtimestamp(on_chain.deposited_at, UTC)
    assert purchase.release_after == datetime.fromtimestamp(on_chain.release_after, UTC)
    assert purchase.expires_at == datetime.fromtimestamp(on_chain.expires_at, UTC)
    assert purchase.fee_bps == on_chain.fee_bps == settings.PLATFORM_FEE_BPS
    assert purchase.activated_at is None
    assert agent.purchase_count == 0
    assert has_access(buyer, agent).reason == Reason.NONE

    listener.confirm()
    purchase.refresh_from_db()
    agent.refresh_from_db()
    assert purchase.status == "active"
    assert purchase.activated_at is not None
    assert agent.purchase_count == 1
    access = has_access(buyer, agent)
    assert (access.allowed, access.expires_at, access.reason) == (True, None, Reason.ENTITLEMENT)
    assert Entitlement.objects.get().expires_at == LIFETIME
    with pytest.raises(QuoteOverError, match="paid already"):
        deposit_calls(purchase, buyer.primary_address)


def test_usdc_needs_an_approval_of_exactly_the_amount_once(
    agent: Agent, rich_buyer: User, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=5_000_000)
    account: LocalAccount = rich_buyer.account  # type: ignore[attr-defined]
    purchase = quote(rich_buyer, agent, "USDC", payer=account.address)
    steps = deposit_calls(purchase, account.address)
    assert [(step.kind, step.call.to, step.call.value) for step in steps] == [
        (StepKind.APPROVE, contracts.usdc.address, 0),
        (StepKind.DEPOSIT, contracts.escrow.address, 0),
    ]
    assert steps[0].call.data[-32:] == (5_000_000).to_bytes(32)
    send(steps[0].call, account)
    assert [step.kind for step in deposit_calls(purchase, account.address)] == [StepKind.DEPOSIT]
    assert [step.kind for step in deposit_calls(purchase)] == [StepKind.APPROVE, StepKind.DEPOSIT]
    send(steps[1].call, account)
    listener.confirm()
    purchase.refresh_from_db()
    assert (purchase.status, purchase.token, purchase.amount) == ("active", contracts.usdc.address, 5_000_000)


def test_somebody_else_may_pay_a_quote_for_anyone(
    agent: Agent, buyer: User, contracts: Contracts, send: Send, listener: TestListener, funded_wallet: Any
) -> None:
    purchase = quote(buyer, agent, "ETH")
    friend = funded_wallet()
    pay(purchase, friend, send)
    listener.confirm()
    purchase.refresh_from_db()
    assert (purchase.status, purchase.payer, purchase.recipient) == ("active", friend.address, buyer.primary_address)
    assert has_access(buyer, agent).allowed


def test_limited_access_ends_by_the_chains_clock(
    agent: Agent, rich_buyer: User, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    Agent.objects.filter(pk=agent.pk).update(access_duration=86_400)
    agent.refresh_from_db()
    purchase = quote(rich_buyer, agent, "ETH")
    pay(purchase, rich_buyer.account, send)  # type: ignore[attr-defined]
    listener.confirm()
    expiry = contracts.entitlements.expires_at(purchase.recipient, agent.onchain_id)
    access = has_access(rich_buyer, agent)
    assert (access.allowed, access.expires_at) == (True, datetime.fromtimestamp(expiry, UTC))
    Entitlement.objects.update(expires_at=1)
    assert has_access(rich_buyer, agent).reason == Reason.EXPIRED


def test_release_by_the_payer(
    paid: Purchase, rich_buyer: User, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    listener.confirm()
    send(contracts.escrow.encode_release(paid.payment_id), rich_buyer.account)  # type: ignore[attr-defined]
    listener.catch_up()
    paid.refresh_from_db()
    assert (paid.status, paid.refunded_amount) == ("released", 0)
    assert paid.closed_at == Event.objects.get(name="PaymentReleased").block_time
    assert has_access(rich_buyer, paid.agent).allowed


def test_refund_by_the_creator_takes_access_and_sale_back(
    paid: Purchase, rich_buyer: User, agent: Agent, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    listener.confirm()
    send(contracts.escrow.encode_refund(paid.payment_id), creator_account(agent, contracts))
    listener.catch_up()
    paid.refresh_from_db()
    agent.refresh_from_db()
    assert (paid.status, paid.refunded_amount) == ("refunded", 10**16)
    assert agent.purchase_count == 0
    assert not has_access(rich_buyer, agent).allowed


def test_release_before_the_confirmations(
    paid: Purchase, rich_buyer: User, agent: Agent, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    send(contracts.escrow.encode_release(paid.payment_id), rich_buyer.account)  # type: ignore[attr-defined]
    listener.catch_up()
    paid.refresh_from_db()
    assert (paid.status, paid.activated_at) == ("released", None)
    listener.confirm()
    paid.refresh_from_db()
    agent.refresh_from_db()
    assert paid.status == "released"
    assert paid.activated_at is not None
    assert agent.purchase_count == 1


@pytest.mark.parametrize(
    ("refund_bps", "status", "refunded", "sales"),
    [(0, "released", 0, 1), (4_000, "released", 4 * 10**15, 1), (10_000, "refunded", 10**16, 0)],
)
def test_dispute_and_its_resolution(
    paid: Purchase,
    rich_buyer: User,
    agent: Agent,
    contracts: Contracts,
    send: Send,
    listener: TestListener,
    refund_bps: int,
    status: str,
    refunded: int,
    sales: int,
) -> None:
    listener.confirm()
    send(contracts.escrow.encode_open_dispute(paid.payment_id, REASON), rich_buyer.account)  # type: ignore[attr-defined]
    listener.catch_up()
    paid.refresh_from_db()
    assert (paid.status, paid.closed_at) == ("disputed", None)
    arbiter = account_of(contracts, settings.KEYS["ARBITER_KEY"])
    send(contracts.escrow.encode_resolve_dispute(paid.payment_id, refund_bps, REASON), arbiter)
    listener.catch_up()
    paid.refresh_from_db()
    agent.refresh_from_db()
    assert (paid.status, paid.refunded_amount, agent.purchase_count) == (status, refunded, sales)
    assert has_access(rich_buyer, agent).allowed == (refund_bps < 10_000)


def test_reorg_undoes_a_deposit_exactly_and_the_other_branch_counts(
    agent: Agent,
    rich_buyer: User,
    contracts: Contracts,
    send: Send,
    listener: TestListener,
    mine: Any,
    reorg_scope: Any,
) -> None:
    account = rich_buyer.account  # type: ignore[attr-defined]
    purchase = quote(rich_buyer, agent, "ETH")
    mine(1)
    listener.catch_up()
    before = columns(purchase)
    with reorg_scope() as undo:
        pay(purchase, account, send)
        listener.confirm()
        assert columns(purchase)["status"] == "active"
        assert has_access(rich_buyer, agent).allowed
        undo()
    mine(6)
    listener.catch_up()
    assert columns(purchase) == before
    agent.refresh_from_db()
    assert agent.purchase_count == 0
    assert not has_access(rich_buyer, agent).allowed
    assert EscrowFact.objects.get().status == "reverted"

    pay(purchase, account, send)
    listener.confirm()
    purchase.refresh_from_db()
    agent.refresh_from_db()
    assert (purchase.status, agent.purchase_count) == ("active", 1)
    assert has_access(rich_buyer, agent).allowed


def test_reorg_undoes_a_refund_and_gives_access_back(
    paid: Purchase,
    rich_buyer: User,
    agent: Agent,
    contracts: Contracts,
    send: Send,
    listener: TestListener,
    mine: Any,
    reorg_scope: Any,
) -> None:
    listener.confirm()
    active = columns(paid)
    with reorg_scope() as undo:
        send(contracts.escrow.encode_refund(paid.payment_id), creator_account(agent, contracts))
        listener.confirm()
        assert columns(paid)["status"] == "refunded"
        assert not has_access(rich_buyer, agent).allowed
        undo()
    mine(8)
    listener.catch_up()
    assert columns(paid) == active
    assert has_access(rich_buyer, agent).allowed


def test_deposit_of_a_quote_we_do_not_know_is_noted_and_credits_nobody(
    agent: Agent, rich_buyer: User, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    purchase = quote(rich_buyer, agent, "ETH")
    steps = deposit_calls(purchase)
    payment_id = purchase.payment_id
    purchase.delete()
    send(steps[0].call, rich_buyer.account)  # type: ignore[attr-defined]
    listener.confirm()
    fact = EscrowFact.objects.get()
    assert (fact.payment_id, fact.purchase, fact.problem, fact.status) == (
        payment_id,
        None,
        "unknown_payment",
        "confirmed",
    )
    agent.refresh_from_db()
    assert agent.purchase_count == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", 10**16 + 1),
        ("token", "0x" + "11" * 20),
        ("recipient", "0x" + "11" * 20),
        ("creator_address", "0x" + "11" * 20),
        ("access_duration", 5),
        ("bound_payer", "0x" + "11" * 20),
        ("network", "base"),
    ],
)
def test_deposit_that_differs_from_our_terms_is_noted_and_credits_nobody(
    paid: Purchase, contracts: Contracts, listener: TestListener, column: str, value: Any
) -> None:
    Purchase.objects.filter(pk=paid.pk).update(**{column: value})
    listener.confirm()
    paid.refresh_from_db()
    assert (paid.status, paid.payer, paid.deposit_tx_hash) == ("quoted", None, None)
    assert EscrowFact.objects.get().problem == "terms_differ"
    assert Agent.objects.get(pk=paid.agent_id).purchase_count == 0


def test_quote_cannot_be_paid_late(
    agent: Agent, rich_buyer: User, contracts: Contracts, call_reverts: Any, mine: Any, chain_time: Any
) -> None:
    purchase = quote(rich_buyer, agent, "ETH")
    steps = deposit_calls(purchase)
    mine(1, seconds=int(purchase.valid_until.timestamp()) - chain_time() + 1)
    assert "QuoteExpired" in call_reverts(steps[0].call, rich_buyer.account)  # type: ignore[attr-defined]


def test_grant_by_the_platform_is_access_without_purchase(
    agent: Agent, buyer: User, contracts: Contracts, send: Send, listener: TestListener
) -> None:
    grant = account_of(contracts, settings.KEYS["GRANT_KEY"])
    send(contracts.entitlements.encode_mint(buyer.primary_address or "", agent.onchain_id, 0), grant)
    listener.confirm()
    assert has_access(buyer, agent).is_lifetime
    send(contracts.entitlements.encode_revoke(buyer.primary_address or "", agent.onchain_id), grant)
    listener.catch_up()
    assert has_access(buyer, agent).reason == Reason.NONE


def columns(purchase: Purchase) -> dict[str, Any]:
    return dict(Purchase.objects.filter(pk=purchase.pk).values().get())


def creator_account(agent: Agent, contracts: Contracts) -> LocalAccount:
    account: LocalAccount = agent.creator.account  # type: ignore[attr-defined]
    return funded(account, contracts)


def account_of(contracts: Contracts, key: str) -> LocalAccount:
    signer = LocalSigner(key)
    return funded(signer._account, contracts)


def funded(account: LocalAccount, contracts: Contracts) -> LocalAccount:
    contracts.web3.provider.make_request("anvil_setBalance", [account.address, hex(10**18)])  # type: ignore[arg-type]
    return account


def _hex(value: Any) -> str:
    return value if isinstance(value, str) else "0x" + bytes(value).hex()


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
