"""The outbox: once written, sent once, whatever happens in between."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from eth_account import Account
from eth_account.signers.local import LocalAccount
from pytest_django.fixtures import Settings

from chain import outbox
from chain.calls import Call
from chain.errors import MissingKeyError, RpcError, RpcUnavailableError
from chain.keys import get_signer
from chain.models import OutboxAttempt, OutboxTransaction, SendingAccount
from chain.outbox import enqueue, fees
from chain.outbox.fees import Fees
from chain.outbox.states import IN_FLIGHT, OPEN, TRANSITIONS, Status, move
from chain.rpc import Pool, pool_of
from chain.tasks import drive_outbox
from tests.chain.quotes import CREATOR
from tests.chain_fixtures import Contracts, mine_blocks

Enqueue = Callable[..., OutboxTransaction]
MINED_SECONDS = 20


class Sender(outbox.Sender):
    """Anvil answers before it has mined; here the next line of a test finds the block made."""

    def _broadcast(self, row: OutboxTransaction, attempt: OutboxAttempt) -> bool:
        done = super()._broadcast(row, attempt)
        pool = pool_of(self.network)
        deadline = time.monotonic() + MINED_SECONDS
        while pool.call("anvil_getAutomine") and pool.call("eth_getTransactionByHash", attempt.hash) is not None:
            if pool.call("eth_getTransactionReceipt", attempt.hash) is not None:
                break
            assert time.monotonic() < deadline, "it was not mined"
        return done


@pytest.fixture
def grant(contracts: Contracts) -> Enqueue:
    """`grant(agent_id)`: an outgoing transaction that mints access for ever to agent `agent_id`."""

    def make(agent_id: int = 1, key: str = "", holder: str = CREATOR) -> OutboxTransaction:
        call = contracts.entitlements.encode_mint(holder, agent_id, 0)
        return enqueue(contracts.network, "GRANT_KEY", call, key or f"grant:{agent_id}", "grant")

    return make


@pytest.fixture
def by_hand(contracts: Contracts) -> Iterator[Pool]:
    """Blocks are mined when the test says so."""
    pool = pool_of(contracts.network)
    pool.call("evm_setAutomine", False)
    yield pool
    pool.call("anvil_dropAllTransactions")
    pool.call("evm_setAutomine", True)


def fresh(row: OutboxTransaction) -> OutboxTransaction:
    return OutboxTransaction.objects.get(pk=row.pk)


def wait_long(row: OutboxTransaction, seconds: int = 3600) -> None:
    """As if it had been sent `seconds` ago."""
    OutboxTransaction.objects.filter(pk=row.pk).update(sent_at=timezone.now() - timedelta(seconds=seconds))


class Through:
    """A pool of which a test takes answers away."""

    def __init__(self, pool: Pool, broken: Callable[[str, tuple[Any, ...]], Any]) -> None:
        self._pool, self._broken = pool, broken

    def call(self, method: str, *params: Any) -> Any:
        answer = self._broken(method, params)
        return self._pool.call(method, *params) if answer is Ellipsis else answer

    @property
    def endpoints(self) -> list["Through"]:
        return [self]


# ---------------------------------------------------------------- the usual way


@pytest.mark.django_db
def test_a_row_goes_from_queued_to_confirmed(contracts: Contracts, grant: Enqueue) -> None:
    row = grant(5)
    sender = Sender(contracts.network)
    before = int(sender.pool.call("eth_getTransactionCount", row.sender, "latest"), 16)

    assert sender.step() == 1
    sent = fresh(row)
    assert (sent.status, sent.nonce, sent.attempts.count()) == (Status.SENT, before, 1)
    assert sender.step() == 1
    mined = fresh(row)
    assert (mined.status, mined.succeeded) == (Status.MINED, True)
    assert mined.transaction_hash == mined.attempts.get().hash
    assert mined.gas_used is not None
    assert sender.step() == 0
    mine_blocks(contracts.network, contracts.network.confirmations)
    assert sender.step() == 1
    done = fresh(row)
    assert done.status == Status.CONFIRMED
    assert done.closed_at is not None
    assert contracts.entitlements.has_valid_token(CREATOR, 5)
    assert sender.step() == 0


@pytest.mark.django_db
def test_one_key_is_one_transaction(contracts: Contracts, grant: Enqueue) -> None:
    row = grant(1, key="k")
    assert grant(1, key="k").pk == row.pk
    Sender(contracts.network).step()
    assert grant(1, key="k").pk == row.pk
    with pytest.raises(ValueError, match="belongs to another call"):
        grant(2, key="k")
    assert OutboxTransaction.objects.count() == 1


@pytest.mark.django_db
def test_what_is_rolled_back_is_not_sent(contracts: Contracts, grant: Enqueue) -> None:
    with transaction.atomic():
        grant(1)
        transaction.set_rollback(True)
    assert Sender(contracts.network).step() == 0
    assert not OutboxTransaction.objects.exists()


@pytest.mark.django_db
def test_a_call_for_another_chain_or_without_key_is_refused(contracts: Contracts, settings: Settings) -> None:
    with pytest.raises(ValueError, match="for chain 1, not 31337"):
        enqueue(contracts.network, "GRANT_KEY", Call(1, CREATOR, b""), "k", "x")
    settings.KEYS = {}
    with pytest.raises(MissingKeyError):
        enqueue(contracts.network, "GRANT_KEY", Call(31337, CREATOR, b""), "k", "x")


@pytest.mark.django_db
def test_many_rows_keep_their_order_and_leave_no_gap(contracts: Contracts, grant: Enqueue) -> None:
    rows = [grant(number) for number in range(1, 31)]
    sender = Sender(contracts.network)
    while sender.step():
        pass
    nonces = [fresh(row).nonce for row in rows]
    assert nonces == list(range(nonces[0] or 0, (nonces[0] or 0) + 30))
    assert all(contracts.entitlements.has_valid_token(CREATOR, number) for number in range(1, 31))


@pytest.mark.django_db
def test_the_task_drives_every_network(contracts: Contracts, grant: Enqueue) -> None:
    row = grant(3)
    assert drive_outbox() == 1
    assert fresh(row).status == Status.SENT


# ---------------------------------------------------------------- refusals


@pytest.mark.django_db
def test_a_call_that_would_revert_fails_by_name_without_a_nonce(contracts: Contracts, grant: Enqueue) -> None:
    call = contracts.entitlements.encode_revoke(CREATOR, 99)
    bad = enqueue(contracts.network, "GRANT_KEY", call, "bad", "revoke")
    good = grant(1)
    sender = Sender(contracts.network)
    sender.step()
    failed = fresh(bad)
    assert (failed.status, failed.nonce) == (Status.FAILED, None)
    assert failed.detail == f"AgentNexusEntitlements: NothingToRevoke({CREATOR}, 99)"
    assert fresh(good).status == Status.SENT
    sender.step()
    assert fresh(good).status == Status.MINED


@pytest.mark.django_db
def test_a_call_that_reverts_in_its_block_ends_reverted(contracts: Contracts, grant: Enqueue, by_hand: Pool) -> None:
    sender = Sender(contracts.network)
    grant(1)
    sender.step()
    mine_blocks(contracts.network)
    # Estimated before the other is known, as by a node that does not look at what is pending.
    pool = Through(by_hand, lambda method, params: hex(100_000) if method == "eth_estimateGas" else ...)
    sender = Sender(contracts.network, pool)  # type: ignore[arg-type]
    call = contracts.entitlements.encode_revoke(CREATOR, 1)
    first = enqueue(contracts.network, "GRANT_KEY", call, "revoke-1", "revoke")
    second = enqueue(contracts.network, "GRANT_KEY", call, "revoke-2", "revoke")
    sender.step()
    mine_blocks(contracts.network, 1 + contracts.network.confirmations)
    sender.step()
    assert fresh(first).status == Status.CONFIRMED
    assert fresh(second).status == Status.REVERTED
    assert "state of the contract changed" in fresh(second).detail


@pytest.mark.django_db
def test_an_empty_account_waits_and_goes_on_when_it_is_filled(contracts: Contracts, grant: Enqueue) -> None:
    row, sender = grant(1), Sender(contracts.network)
    balance = sender.pool.call("eth_getBalance", row.sender, "latest")
    sender.pool.call("anvil_setBalance", row.sender, "0x1")
    assert sender.step() == 0
    waiting = fresh(row)
    assert (waiting.status, waiting.nonce) == (Status.QUEUED, None)
    assert f"{row.sender} (GRANT_KEY) has not enough ether" in waiting.detail
    sender.pool.call("anvil_setBalance", row.sender, balance)
    assert sender.step() == 1
    assert fresh(row).detail == ""


@pytest.mark.django_db
def test_a_key_that_is_gone_or_another_is_waited_for(contracts: Contracts, grant: Enqueue, settings: Settings) -> None:
    row, sender, keys = grant(1), Sender(contracts.network), settings.KEYS
    settings.KEYS = {}
    assert sender.step() == 0
    assert "GRANT_KEY is not set" in fresh(row).detail
    settings.KEYS = {**keys, "GRANT_KEY": keys["RELAYER_KEY"]}
    assert sender.step() == 0
    assert "waits for the old key" in fresh(row).detail
    settings.KEYS = keys
    assert sender.step() == 1


# ---------------------------------------------------------------- on the way


@pytest.mark.django_db
def test_a_lost_answer_is_not_sent_anew(contracts: Contracts, grant: Enqueue) -> None:
    """The node took it, but the line broke before it said so."""
    pool = pool_of(contracts.network)

    def lose_the_answer(method: str, params: tuple[Any, ...]) -> Any:
        if method == "eth_sendRawTransaction":
            pool.call(method, *params)
            raise RpcUnavailableError("the line is dead")
        return ...

    row = grant(1)
    Sender(contracts.network, Through(pool, lose_the_answer)).step()  # type: ignore[arg-type]
    assert fresh(row).status == Status.SENT
    Sender(contracts.network).step()
    done = fresh(row)
    assert (done.status, done.attempts.count()) == (Status.MINED, 1)


@pytest.mark.django_db
def test_what_never_arrived_is_sent_again_as_it_is(contracts: Contracts, grant: Enqueue, by_hand: Pool) -> None:
    row, sender = grant(1), Sender(contracts.network)
    sender.step()
    (attempt,) = fresh(row).attempts.all()
    assert by_hand.call("anvil_dropTransaction", attempt.hash) == attempt.hash
    assert by_hand.call("eth_getTransactionByHash", attempt.hash) is None
    sender.step()
    assert by_hand.call("eth_getTransactionByHash", attempt.hash) is not None
    mine_blocks(contracts.network)
    sender.step()
    done = fresh(row)
    assert (done.status, done.transaction_hash, done.attempts.count()) == (Status.MINED, attempt.hash, 1)


@pytest.mark.django_db
def test_one_that_waits_long_is_replaced_at_a_higher_fee(contracts: Contracts, grant: Enqueue, by_hand: Pool) -> None:
    row, sender = grant(1), Sender(contracts.network)
    sender.step()
    sender.step()
    assert fresh(row).attempts.count() == 1  # it has not waited yet
    wait_long(row)
    sender.step()
    first, second = fresh(row).attempts.order_by("max_fee_per_gas")
    assert second.max_fee_per_gas >= first.max_fee_per_gas * 110 // 100
    assert second.max_priority_fee_per_gas >= first.max_priority_fee_per_gas * 110 // 100
    mine_blocks(contracts.network)
    sender.step()
    done = fresh(row)
    assert (done.status, done.transaction_hash) == (Status.MINED, second.hash)
    count = int(by_hand.call("eth_getTransactionCount", row.sender, "latest"), 16)
    assert count == (done.nonce or 0) + 1


@pytest.mark.django_db
def test_a_base_fee_above_the_offer_is_followed(contracts: Contracts, grant: Enqueue, by_hand: Pool) -> None:
    row, sender = grant(1), Sender(contracts.network)
    sender.step()
    (attempt,) = fresh(row).attempts.all()
    by_hand.call("anvil_setNextBlockBaseFeePerGas", hex(attempt.max_fee_per_gas * 3))
    mine_blocks(contracts.network)
    sender.step()
    assert fresh(row).status == Status.SENT
    wait_long(row)
    sender.step()
    mine_blocks(contracts.network)
    sender.step()
    assert fresh(row).status == Status.MINED


@pytest.mark.django_db
def test_the_first_form_may_still_win_over_its_replacement(contracts: Contracts, grant: Enqueue, by_hand: Pool) -> None:
    row, sender = grant(1), Sender(contracts.network)
    sender.step()
    (first,) = fresh(row).attempts.all()
    wait_long(row)
    sender.step()
    replacement = fresh(row).attempts.exclude(pk=first.pk).get()
    by_hand.call("anvil_dropTransaction", replacement.hash)
    by_hand.call("eth_sendRawTransaction", "0x" + bytes(first.raw).hex())
    mine_blocks(contracts.network)
    sender.step()
    assert (fresh(row).status, fresh(row).transaction_hash) == (Status.MINED, first.hash)


@pytest.mark.django_db
def test_fees_never_pass_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fees.bumped(Fees(80, 8), Fees(10, 1)) == Fees(91, 10)
    assert fees.bumped(Fees(80, 8), Fees(200, 100)) == Fees(200, 100)
    top = fees.HIGHEST_FEE
    assert fees.bumped(Fees(top, top), Fees(1, 1)) == Fees(top, top)
    assert fees.bumped(Fees(10, 1), Fees(top * 9, top * 9)) == Fees(top, top)


@pytest.mark.django_db
def test_one_that_waits_at_the_highest_fee_says_so(
    contracts: Contracts, grant: Enqueue, by_hand: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, sender = grant(1), Sender(contracts.network)
    sender.step()
    monkeypatch.setattr(fees, "HIGHEST_FEE", fresh(row).attempts.get().max_fee_per_gas)
    wait_long(row)
    sender.step()
    assert fresh(row).attempts.count() == 1
    assert "the highest fee allowed" in fresh(row).detail


@pytest.mark.django_db
def test_a_reorg_sends_a_mined_one_back_on_its_way(
    contracts: Contracts, grant: Enqueue, reorg_scope: Any, mine: Any
) -> None:
    row, sender = grant(1), Sender(contracts.network)
    with reorg_scope() as undo:
        sender.step()
        sender.step()
        assert fresh(row).status == Status.MINED
        undo()
    mine(1)
    assert sender.step() == 1
    back = fresh(row)
    assert (back.status, back.block_number, back.transaction_hash) == (Status.SENT, None, None)
    sender.step()  # sends the same bytes again
    sender.step()
    assert (fresh(row).status, fresh(row).attempts.count()) == (Status.MINED, 1)


# ---------------------------------------------------------------- unknown


@pytest.mark.django_db
def test_a_hidden_receipt_is_unknown_until_it_is_seen(contracts: Contracts, grant: Enqueue) -> None:
    hidden = [True]
    pool = Through(
        pool_of(contracts.network),
        lambda method, params: None if hidden and method == "eth_getTransactionReceipt" else ...,
    )
    row, sender = grant(1), Sender(contracts.network, pool)  # type: ignore[arg-type]
    sender.step()
    sender.step()
    unknown = fresh(row)
    assert unknown.status == Status.UNKNOWN
    assert "looking again" in unknown.detail
    mine_blocks(contracts.network, 10)
    for _ in range(5):
        sender.step()
    assert (fresh(row).status, fresh(row).attempts.count()) == (Status.UNKNOWN, 1)  # a node still knows the hash
    hidden.clear()
    sender.step()
    assert fresh(row).status == Status.CONFIRMED
    count = int(pool.call("eth_getTransactionCount", row.sender, "latest"), 16)
    assert count == (fresh(row).nonce or 0) + 1


@pytest.mark.django_db
def test_a_nonce_taken_by_somebody_else_ends_the_row_once_that_is_final(
    contracts: Contracts, grant: Enqueue, by_hand: Pool, settings: Settings
) -> None:
    row, sender = grant(1), Sender(contracts.network)
    sender.step()
    (attempt,) = fresh(row).attempts.all()
    by_hand.call("anvil_dropTransaction", attempt.hash)
    account: LocalAccount = Account.from_key(settings.KEYS["GRANT_KEY"])
    foreign: dict[str, Any] = {"chainId": 31337, "nonce": fresh(row).nonce, "to": CREATOR, "value": 1, "gas": 21_000}
    raw = account.sign_transaction({**foreign, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1, "type": 2})
    by_hand.call("eth_sendRawTransaction", "0x" + bytes(raw.raw_transaction).hex())
    mine_blocks(contracts.network)

    sender.step()
    assert fresh(row).status == Status.UNKNOWN
    sender.step()
    assert fresh(row).status == Status.UNKNOWN  # a reorg could still give the nonce back
    mine_blocks(contracts.network, contracts.network.confirmations)
    sender.step()
    assert fresh(row).status == Status.DISPLACED
    assert "can never be mined" in fresh(row).detail

    after = grant(2)
    sender.step()
    mine_blocks(contracts.network)
    sender.step()
    assert fresh(after).status == Status.MINED
    assert fresh(after).nonce == (fresh(row).nonce or 0) + 1
    assert not contracts.entitlements.has_valid_token(CREATOR, 1)


@pytest.mark.django_db
def test_a_key_used_elsewhere_before_is_counted(contracts: Contracts, grant: Enqueue, settings: Settings) -> None:
    sender = Sender(contracts.network)
    first = grant(1)
    sender.step()
    sender.step()
    mine_blocks(contracts.network, contracts.network.confirmations)
    sender.step()
    SendingAccount.objects.update(next_nonce=0)  # as if others had sent since we last did
    second = grant(2)
    sender.step()
    sender.step()
    assert fresh(second).nonce == (fresh(first).nonce or 0) + 1
    assert fresh(second).status == Status.MINED


@pytest.mark.django_db
def test_a_dead_node_loses_nothing(contracts: Contracts, grant: Enqueue) -> None:
    row = grant(1)

    def dead(method: str, params: tuple[Any, ...]) -> Any:
        raise RpcUnavailableError("dead")

    with pytest.raises(RpcUnavailableError):
        Sender(contracts.network, Through(pool_of(contracts.network), dead)).step()  # type: ignore[arg-type]
    assert fresh(row).status == Status.QUEUED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("message", "note"),
    [
        ("replacement transaction underpriced", "higher fee"),
        ("insufficient funds for gas * price + value", "not enough ether"),
        ("tx pool is full", "The node refused it: tx pool is full"),
        ("already known", ""),
        ("nonce too low", ""),
    ],
)
def test_what_a_node_says_on_sending_is_noted_and_decides_nothing(
    contracts: Contracts, grant: Enqueue, message: str, note: str
) -> None:
    def refuse(method: str, params: tuple[Any, ...]) -> Any:
        if method == "eth_sendRawTransaction":
            raise RpcError(message, rpc_code=-32000)
        return ...

    row = grant(1)
    Sender(contracts.network, Through(pool_of(contracts.network), refuse)).step()  # type: ignore[arg-type]
    assert fresh(row).status == Status.SENT
    assert note in fresh(row).detail
    sender = Sender(contracts.network)
    sender.step()
    sender.step()
    assert (fresh(row).status, fresh(row).attempts.count(), fresh(row).detail) == (Status.MINED, 1, "")


# ---------------------------------------------------------------- many at a time


@pytest.mark.django_db(transaction=True)
def test_four_senders_give_each_nonce_out_once(contracts: Contracts, grant: Enqueue) -> None:
    rows = [grant(number) for number in range(1, 25)]
    start, failures = threading.Barrier(4), []

    def drive() -> None:
        try:
            sender = Sender(contracts.network)
            start.wait()
            while OutboxTransaction.objects.filter(status__in=[Status.QUEUED, Status.SENT, Status.UNKNOWN]).exists():
                sender.step()
        except Exception as exc:
            failures.append(exc)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=drive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    nonces = sorted(fresh(row).nonce or 0 for row in rows)
    assert nonces == list(range(nonces[0], nonces[0] + 24))
    granter = get_signer("GRANT_KEY", contracts.network).address
    count = int(pool_of(contracts.network).call("eth_getTransactionCount", granter, "latest"), 16)
    assert count == nonces[0] + 24
    assert {row.attempts.count() for row in OutboxTransaction.objects.all()} == {1}


# ---------------------------------------------------------------- the table


@pytest.mark.django_db
@pytest.mark.parametrize("came_from", list(Status))
@pytest.mark.parametrize("to", list(Status))
def test_only_the_tables_transitions_happen(
    contracts: Contracts, grant: Enqueue, came_from: Status, to: Status
) -> None:
    row = grant(1)
    OutboxTransaction.objects.update(status=came_from)
    row = fresh(row)
    if to in TRANSITIONS[came_from]:
        assert move(row, to)
        assert fresh(row).status == to
        row.status = came_from
        assert not move(row, to)  # somebody else was first
    else:
        with pytest.raises(ValueError, match="does not go from"):
            move(row, to)
        assert fresh(row).status == came_from


def test_what_is_signed_never_becomes_queued_again() -> None:
    assert all(Status.QUEUED not in following for following in TRANSITIONS.values())
    assert {Status.QUEUED, *IN_FLIGHT} == OPEN
