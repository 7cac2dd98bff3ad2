"""Money leaves the escrow by itself: releases, refunds after expiry and payouts of refunds, on a real chain."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django.fixtures import Settings

from chain.calls import Call
from chain.keys import get_signer
from chain.models import OutboxTransaction
from chain.outbox import enqueue
from chain.rpc import pool_of
from chain.tokens import NATIVE
from marketplace.models import Agent, Credit, Exit, Purchase, Withdrawal
from marketplace.payouts import exits
from marketplace.payouts.exits import MOST_ATTEMPTS, MOST_GAS, retry, settle
from marketplace.payouts.states import ENDED, OPEN, TRANSITIONS, move
from marketplace.purchases.timeline import timeline
from tests.chain_fixtures import Contracts
from tests.factories.marketplace import AgentPriceFactory, PurchaseFactory
from tests.marketplace.settling import (
    DAY,
    EXPIRED,
    RELEASABLE,
    Later,
    Platform,
    Send,
    account_of,
    buy,
    exit_of,
    fresh,
    steps_of,
    with_gas,
)
from wallets.models import User

Status = Exit.Status
PRICE = 10**16
FEE = PRICE * 250 // 10_000
REASON = "0x" + "ab" * 32
# Code that refuses everything, and code that takes ether after some 1.3 million gas of counting.
REFUSES, BURNS = "0x5f5ffd", "0x6200c3505b6001900380600457" + "00"


# --- the table


@pytest.mark.django_db
@pytest.mark.parametrize("to", list(Status))
@pytest.mark.parametrize("of", list(Status))
def test_a_step_moves_only_as_the_table_says(of: Status, to: Status) -> None:
    row = Exit.objects.create(
        purchase=PurchaseFactory.create(), kind="release", status=of, next_at="2026-01-01T00:00:00Z"
    )
    if to == of or to in TRANSITIONS[of]:
        move(row, to)
        assert Exit.objects.get().status == to
    else:
        with pytest.raises(ValueError, match="does not go"):
            move(row, to)
        assert Exit.objects.get().status == of


def test_every_state_is_open_ended_or_waits_for_a_person() -> None:
    assert set(Status) == OPEN | ENDED | {Status.STOPPED}
    assert not OPEN & ENDED


# --- release


def test_a_payment_is_released_after_its_dispute_window(bought: Purchase, platform: Platform, later: Later) -> None:
    # given: within the window nothing is due
    platform.work()
    assert steps_of(bought) == {}

    # when
    later(RELEASABLE)
    platform.work()

    # then
    assert fresh(bought).status == "released"
    platform.sweep()
    step = exit_of(bought, "release")
    assert (step.status, step.attempts, step.detail) == (Status.DONE, 1, "")
    assert step.transaction is not None
    assert step.transaction.sender == get_signer("RELAYER_KEY", platform.contracts.network).address
    creator = bought.creator_address
    assert platform.contracts.escrow.withdrawable(NATIVE, creator) == PRICE - FEE
    credits_ = {(row.kind, row.account, row.amount, row.confirmed) for row in Credit.objects.all()}
    fee_recipient = get_signer("DEPLOYER_KEY", platform.contracts.network).address
    assert credits_ == {("sale", creator, PRICE - FEE, True), ("fee", fee_recipient, FEE, True)}


def test_a_release_in_the_last_moment_of_the_window_is_not_sent(
    bought: Purchase, platform: Platform, mine: Any, chain_time: Any
) -> None:
    assert bought.release_after is not None
    mine(1, seconds=int(bought.release_after.timestamp()) - chain_time() - 10)
    platform.listener.confirm()
    platform.sweep()
    assert steps_of(bought) == {}


def test_a_disputed_payment_is_not_released(
    bought: Purchase, rich_buyer: User, platform: Platform, send: Send, later: Later
) -> None:
    send(platform.contracts.escrow.encode_open_dispute(bought.payment_id, REASON), account_of(rich_buyer))
    later(RELEASABLE)
    platform.work(2)
    assert (fresh(bought).status, steps_of(bought)) == ("disputed", {})


def test_the_buyer_who_releases_first_leaves_the_platform_nothing_to_do(
    bought: Purchase, rich_buyer: User, platform: Platform, send: Send, later: Later
) -> None:
    """The platform's transaction is in the outbox when the buyer's own is mined: it is not sent, and costs nothing."""
    later(RELEASABLE)
    platform.sweep()
    send(platform.contracts.escrow.encode_release(bought.payment_id), account_of(rich_buyer))
    platform.work()
    sent = exit_of(bought, "release").transaction
    assert sent is not None
    assert (sent.status, sent.nonce) == ("failed", None)
    assert "WrongStatus" in sent.detail
    platform.sweep()
    assert exit_of(bought, "release").status == Status.DONE


def test_a_refund_by_the_creator_meanwhile_drops_the_release(
    bought: Purchase, creator: User, platform: Platform, send: Send, later: Later
) -> None:
    later(RELEASABLE)
    platform.sweep()
    send(platform.contracts.escrow.encode_refund(bought.payment_id), with_gas(creator, platform.contracts))
    platform.work(3)
    assert fresh(bought).status == "refunded"
    assert steps_of(bought) == {"release": "dropped", "withdrawal": "done"}


# --- refund after expiry


@pytest.mark.parametrize("disputed", [False, True])
def test_after_expiry_the_money_goes_back_to_the_buyers_wallet(
    bought: Purchase, rich_buyer: User, platform: Platform, send: Send, later: Later, disputed: bool
) -> None:
    # given: nobody acts for the whole hold period, nor does the platform
    if disputed:
        send(platform.contracts.escrow.encode_open_dispute(bought.payment_id, REASON), account_of(rich_buyer))
    before = platform.contracts.web3.eth.get_balance(bought.payer)  # type: ignore[arg-type]
    later(EXPIRED)

    # when
    platform.work(3)

    # then
    assert fresh(bought).status == "refunded"
    assert steps_of(bought) == {"refund": "done", "withdrawal": "done"}
    after = platform.contracts.web3.eth.get_balance(bought.payer)  # type: ignore[arg-type]
    assert after - before == PRICE
    assert Withdrawal.objects.get().account == bought.payer
    assert [entry.kind for entry in timeline(fresh(bought))][-2:] == ["refunded", "withdrawn"]


# --- payouts


def test_a_refund_in_usdc_is_paid_out_without_a_click(
    agent: Agent, rich_buyer: User, creator: User, platform: Platform, send: Send
) -> None:
    contracts = platform.contracts
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=5_000_000)
    purchase = buy(rich_buyer, agent, contracts, "USDC")
    platform.listener.confirm()
    send(contracts.escrow.encode_refund(purchase.payment_id), with_gas(creator, contracts))
    # Seen is not enough: only a confirmed refund is paid out.
    platform.listener.catch_up()
    platform.sweep()
    assert steps_of(purchase) == {}
    platform.listener.confirm()
    platform.work(2)
    assert steps_of(purchase) == {"withdrawal": "done"}
    assert contracts.escrow.withdrawable(contracts.usdc.address, rich_buyer.primary_address or "") == 0
    assert [(row.token, row.amount) for row in Withdrawal.objects.all()] == [(contracts.usdc.address, 5_000_000)]


def test_the_buyers_share_of_a_resolution_is_paid_out_and_the_creators_waits_for_a_click(
    bought: Purchase, rich_buyer: User, platform: Platform, send: Send
) -> None:
    contracts = platform.contracts
    send(contracts.escrow.encode_open_dispute(bought.payment_id, REASON), account_of(rich_buyer))
    from tests.marketplace.test_purchase_on_chain import account_of as key_account

    arbiter = key_account(contracts, django_settings.KEYS["ARBITER_KEY"])
    send(contracts.escrow.encode_resolve_dispute(bought.payment_id, 4_000, REASON), arbiter)
    platform.listener.confirm()
    platform.work(2)
    assert steps_of(bought) == {"withdrawal": "done"}
    assert [(row.account, row.amount) for row in Withdrawal.objects.all()] == [(bought.payer, 4 * 10**15)]
    assert contracts.escrow.withdrawable(NATIVE, bought.creator_address) == 6 * 10**15 * 9_750 // 10_000


def test_two_refunds_to_one_wallet_are_one_payout(
    agent: Agent, rich_buyer: User, creator: User, platform: Platform, send: Send
) -> None:
    Agent.objects.update(access_duration=DAY)
    agent.refresh_from_db()
    purchases = [buy(rich_buyer, agent, platform.contracts) for _ in range(2)]
    account = with_gas(creator, platform.contracts)
    for purchase in purchases:
        send(platform.contracts.escrow.encode_refund(purchase.payment_id), account)
    platform.listener.confirm()
    platform.work(3)
    assert [steps_of(purchase) for purchase in purchases] == [{"withdrawal": "done"}] * 2
    assert Withdrawal.objects.get().amount == 2 * PRICE
    assert OutboxTransaction.objects.count() == 1


def test_a_buyer_who_withdraws_first_leaves_nothing_to_do(
    bought: Purchase, creator: User, rich_buyer: User, platform: Platform, send: Send
) -> None:
    contracts = platform.contracts
    send(contracts.escrow.encode_refund(bought.payment_id), with_gas(creator, contracts))
    send(contracts.escrow.encode_withdraw(NATIVE, bought.payer or ""), account_of(rich_buyer))
    platform.listener.confirm()
    platform.work()
    assert steps_of(bought) == {}


@pytest.mark.parametrize(("code", "says"), [(REFUSES, "refuses ether"), (BURNS, "more gas than the platform pays for")])
def test_a_wallet_that_cannot_be_paid_ends_in_a_visible_state_and_costs_no_gas(
    bought: Purchase, creator: User, platform: Platform, send: Send, code: str, says: str
) -> None:
    # given a refund to a wallet that has become a contract which refuses ether, or wants too much gas for it
    contracts = platform.contracts
    pool_of(contracts.network).call("anvil_setCode", bought.payer, code)
    send(contracts.escrow.encode_refund(bought.payment_id), with_gas(creator, contracts))
    platform.listener.confirm()
    relayer = get_signer("RELAYER_KEY", contracts.network).address
    before = contracts.web3.eth.get_balance(relayer)  # type: ignore[arg-type]

    # when the platform tries, and more often than it is allowed to
    platform.work(2 * MOST_ATTEMPTS + 3)

    # then
    step = exit_of(bought, "withdrawal")
    assert (step.status, step.attempts) == (Status.STOPPED, MOST_ATTEMPTS)
    assert says in step.detail
    assert set(OutboxTransaction.objects.values_list("status", "nonce")) == {("failed", None)}
    assert contracts.web3.eth.get_balance(relayer) == before  # type: ignore[arg-type]
    assert timeline(fresh(bought))[-1].state == "failed"
    assert says in timeline(fresh(bought))[-1].text

    # and when the wallet takes ether again, staff have it tried again
    pool_of(contracts.network).call("anvil_setCode", bought.payer, "0x")
    assert retry(step) is True
    assert retry(step) is False
    platform.work(2)
    assert exit_of(bought, "withdrawal").status == Status.DONE
    assert Withdrawal.objects.get().amount == PRICE


def test_a_stopped_payout_that_the_owner_fetches_is_done(
    bought: Purchase, rich_buyer: User, creator: User, platform: Platform, send: Send
) -> None:
    contracts = platform.contracts
    pool_of(contracts.network).call("anvil_setCode", bought.payer, REFUSES)
    send(contracts.escrow.encode_refund(bought.payment_id), with_gas(creator, contracts))
    platform.listener.confirm()
    platform.work(2 * MOST_ATTEMPTS)
    assert steps_of(bought) == {"withdrawal": "stopped"}
    pool_of(contracts.network).call("anvil_setCode", bought.payer, "0x")
    send(contracts.escrow.encode_withdraw_to(NATIVE, creator.primary_address or ""), account_of(rich_buyer))
    platform.listener.confirm()
    platform.sweep()
    assert (exit_of(bought, "withdrawal").status, exit_of(bought, "withdrawal").detail) == (Status.DONE, "")


def test_a_payout_needs_far_less_gas_than_its_limit(
    bought: Purchase, creator: User, platform: Platform, send: Send
) -> None:
    send(platform.contracts.escrow.encode_refund(bought.payment_id), with_gas(creator, platform.contracts))
    platform.listener.confirm()
    platform.work()
    sent = OutboxTransaction.objects.get()
    assert sent.most_gas == MOST_GAS
    assert (sent.gas_used or MOST_GAS) < MOST_GAS / 4


# --- once, whatever happens


@pytest.mark.django_db(transaction=True)
def test_several_beats_at_once_send_once(bought: Purchase, platform: Platform, later: Later) -> None:
    later(RELEASABLE)

    def sweep(_: int) -> int:
        try:
            return settle()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sweep, range(8)))
    assert OutboxTransaction.objects.get().idempotency_key == f"release:{bought.payment_id}:1"
    assert exit_of(bought, "release").attempts == 1


def test_a_reorg_that_undoes_a_release_has_it_sent_again(
    bought: Purchase, rich_buyer: User, platform: Platform, send: Send, later: Later, mine: Any, reorg_scope: Any
) -> None:
    later(RELEASABLE)
    with reorg_scope() as undo:
        send(platform.contracts.escrow.encode_release(bought.payment_id), account_of(rich_buyer))
        Exit.objects.create(purchase=bought, kind="release", status="done", next_at="2026-01-01T00:00:00Z")
        platform.listener.catch_up()
        assert fresh(bought).status == "released"
        undo()
    mine(6)
    platform.listener.catch_up()
    assert fresh(bought).status == "active"
    platform.work()
    assert fresh(bought).status == "released"
    assert exit_of(bought, "release").attempts == 1


def test_a_reorg_that_undoes_a_payout_has_it_sent_again(
    bought: Purchase, rich_buyer: User, creator: User, platform: Platform, send: Send, mine: Any, reorg_scope: Any
) -> None:
    contracts = platform.contracts
    send(contracts.escrow.encode_refund(bought.payment_id), with_gas(creator, contracts))
    platform.listener.confirm()
    Exit.objects.create(purchase=bought, kind="withdrawal", status="done", next_at="2026-01-01T00:00:00Z")
    with reorg_scope() as undo:
        send(contracts.escrow.encode_withdraw(NATIVE, bought.payer or ""), account_of(rich_buyer))
        platform.listener.catch_up()
        assert Withdrawal.objects.get().status == "seen"
        undo()
    mine(6)
    platform.listener.catch_up()
    assert Withdrawal.objects.get().status == "reverted"
    platform.work(2)
    assert steps_of(bought) == {"withdrawal": "done"}
    assert Withdrawal.objects.exclude(status="reverted").get().amount == PRICE


# --- the key


def test_with_little_ether_left_nothing_new_is_sent_and_it_is_said(
    bought: Purchase, platform: Platform, later: Later, settings: Settings
) -> None:
    later(RELEASABLE)
    settings.LOW_BALANCE_WEI = 10**30
    platform.work(2)
    step = exit_of(bought, "release")
    assert (step.status, step.attempts, OutboxTransaction.objects.count()) == (Status.WAITING, 0, 0)
    assert "(RELAYER_KEY) has" in step.detail
    settings.LOW_BALANCE_WEI = 1
    platform.work()
    assert fresh(bought).status == "released"


def test_without_the_key_the_step_waits_and_says_so(
    bought: Purchase, platform: Platform, later: Later, settings: Settings
) -> None:
    later(RELEASABLE)
    settings.KEYS = {**settings.KEYS, "RELAYER_KEY": ""}
    platform.work(2)
    step = exit_of(bought, "release")
    assert (step.status, step.attempts) == (Status.WAITING, 0)
    assert step.detail == "RELAYER_KEY is not set. Set it, or RELAYER_KEY_FILE, in the environment."


def test_transactions_that_are_mined_without_effect_are_bounded(
    bought: Purchase, platform: Platform, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(RELEASABLE)
    for number in range(MOST_ATTEMPTS):
        platform.sweep()
        step = exit_of(bought, "release")
        assert (step.status, step.attempts) == (Status.SENT, number + 1)
        OutboxTransaction.objects.filter(status="queued").update(status="reverted")
        platform.sweep()
    step = exit_of(bought, "release")
    assert (step.status, step.attempts) == (Status.STOPPED, MOST_ATTEMPTS)
    assert step.detail.startswith("It was taken into a block but had no effect")
    assert platform.sweep() == 0


def test_waiting_times_grow(bought: Purchase, platform: Platform, later: Later) -> None:
    later(RELEASABLE)
    waits = []
    for _ in range(MOST_ATTEMPTS - 1):
        platform.sweep()
        step = exit_of(bought, "release")
        OutboxTransaction.objects.filter(status="queued").update(status="failed", detail="x")
        platform.sweep()
        step = exit_of(bought, "release")
        waits.append(round((step.next_at - step.updated_at).total_seconds()))
    assert waits == list(exits.BACKOFF)


def test_an_unrelated_call_cannot_take_an_attempts_key(contracts: Contracts, bought: Purchase) -> None:
    first = contracts.escrow.encode_release(bought.payment_id)
    enqueue(contracts.network, "RELAYER_KEY", first, "k", "x")
    with pytest.raises(ValueError, match="another call"):
        enqueue(contracts.network, "RELAYER_KEY", Call(first.chain_id, first.to, b"\x01"), "k", "x")
