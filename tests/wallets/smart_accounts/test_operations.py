"""User operations through a real bundler onto a real chain."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone
from eth_account import Account

from chain import artefacts
from chain.bindings.escrow import Escrow
from chain.calls import Contract
from chain.networks import default_network
from chain.rpc import pool_of
from deploy.local.engines import Alto
from tests.chain_fixtures import mine_blocks, reorg_on, send_call
from tests.wallets.smart_accounts.helpers import (
    NOBODY,
    account_of,
    balance,
    give,
    look,
    send_ether,
    signed,
    submit,
    wait_for,
    wait_until,
)
from wallets.models import User, UserOperation
from wallets.smart_accounts import accounts, entry_point, following, operations
from wallets.smart_accounts.bundler import bundlers_of
from wallets.smart_accounts.errors import (
    BundlerRefusedError,
    InsufficientGasError,
    OperationInFlightError,
    SignatureInvalidError,
    WrongStateError,
)
from wallets.smart_accounts.user_op import UserOp

pytestmark = pytest.mark.django_db


def test_the_first_operation_deploys_the_account_and_does_what_was_signed(user: User, bundler: Alto) -> None:
    # given an account that is only an address yet
    account = account_of(user)
    assert not accounts.is_deployed(account)

    # when
    operation = operations.build(account, [send_ether(5)], sponsored=False)
    assert (operation.status, operation.nonce, operation.purpose) == ("built", 0, "Send 0.000000000000000005 ETH")
    assert operation.factory is not None
    assert submit(user, operation).status == "submitted"
    wait_for(operation, "included")

    # then
    assert balance(NOBODY) == 5
    assert operation.gas_cost is not None
    assert 0 < operation.gas_cost <= operation.max_gas_cost
    assert accounts.is_deployed(account)
    assert entry_point.nonce_of(default_network(), account.address) == 1
    assert operation.bundler == "127.0.0.1"
    assert operation.confirmed_at is None

    # and it is final once blocks lie on top
    mine_blocks(default_network(), default_network().confirmations)
    wait_until(operation, lambda: operation.confirmed_at is not None, "not confirmed")

    # and the next one carries no deployment
    second = operations.build(account, [send_ether(5)], sponsored=False)
    assert (second.factory, second.nonce) == (None, 1)


def test_the_hash_is_the_one_the_entry_point_computes(user: User, bundler: Alto) -> None:
    operation = operations.build(account_of(user), [send_ether()], sponsored=False)
    op = UserOp.of(operation)
    packed = (
        *(op.sender, op.nonce, op.init_code, op.call_data, op.account_gas_limits),
        *(op.pre_verification_gas, op.gas_fees, op.paymaster_and_data, b""),
    )
    on_chain = entry_point.contract(default_network()).read("getUserOpHash", packed)
    assert operation.user_op_hash == "0x" + bytes(on_chain).hex()


def test_several_calls_are_done_together(user: User, bundler: Alto) -> None:
    operation = operations.build(account_of(user), [send_ether(5), send_ether(6)], sponsored=False)
    wait_for(submit(user, operation), "included")
    assert balance(NOBODY) == 11


def test_a_wrong_signature_is_refused_before_anything_is_sent(user: User, bundler: Alto) -> None:
    operation = operations.build(account_of(user), [send_ether()], sponsored=False)
    other = Account.create()
    for bad in (signed(other, operation), "0x" + "11" * 64 + "1b", "0x1234", "nonsense"):
        with pytest.raises(SignatureInvalidError):
            operations.submit(user, operation, bad)
    operation.refresh_from_db()
    assert (operation.status, bytes(operation.signature)) == ("built", b"")


def test_the_bundler_says_aa24_of_a_wrong_signature(user: User, bundler: Alto) -> None:
    operation = operations.build(account_of(user), [send_ether()], sponsored=False)
    wrong = bytes.fromhex(signed(Account.create(), operation)[2:])
    with pytest.raises(BundlerRefusedError) as caught:
        bundlers_of(default_network()).send(UserOp.of(operation).with_(signature=wrong))
    assert caught.value.code == "aa24"


def test_a_wrong_nonce_fails_and_the_next_operation_works(user: User, bundler: Alto) -> None:
    # given two operations built for the same nonce, the first of which is done
    account = account_of(user)
    first = operations.build(account, [send_ether(1)], sponsored=False)
    second = operations.build(account, [send_ether(2)], sponsored=False)
    wait_for(submit(user, first), "included")

    # when
    submit(user, second)

    # then
    assert (second.status, second.code) in (("failed", "aa25"), ("failed", "aa10"))
    third = operations.build(account, [send_ether(4)], sponsored=False)
    wait_for(submit(user, third), "included")
    assert balance(NOBODY) == 5


def test_an_operation_that_fails_inside_is_a_failure_though_its_transaction_succeeded(
    user: User, bundler: Alto
) -> None:
    # given a transfer that is covered when it is built, and not any more when it is done
    account = account_of(user, eth=3 * 10**18)
    wait_for(submit(user, operations.build(account, [send_ether(1)], sponsored=False)), "included")
    operation = operations.build(account, [send_ether(2 * 10**18)], sponsored=False)
    the_owner_spends(user, account.address, 2 * 10**18)

    # when
    submit(user, operation)
    wait_for(operation, "failed")

    # then
    assert operation.code == "reverted"
    assert operation.transaction_hash is not None
    assert operation.gas_cost
    assert "CallFailed" in operation.detail or "gas" in operation.detail
    assert balance(NOBODY) == 1 + 2 * 10**18


def the_owner_spends(user: User, account: str, value: int) -> None:
    """The owner calls the account directly, without any bundler."""

    key = user.account  # type: ignore[attr-defined]
    give(key.address, 10**18)
    contract = Contract(default_network(), account, artefacts.load(artefacts.AGENT_ACCOUNT))
    send_call(default_network(), contract.call("execute", NOBODY, value, b""), key)


def test_running_out_of_gas_inside_is_a_failure(user: User, bundler: Alto) -> None:
    account = account_of(user)
    operation = operations.build(account, [send_ether()], sponsored=False)
    starved = UserOp.of(operation).with_(call_gas_limit=9_500, signature=b"")
    row = operations._row(account, default_network(), starved)
    row.calls = operation.calls
    row.save(force_insert=True)
    wait_for(submit(user, row), "failed")
    assert row.code in {"reverted", "would_revert", "bundler_refused", "aa95"}
    assert balance(NOBODY) == 0


def test_too_little_ether_is_said_with_both_figures(user: User, bundler: Alto) -> None:
    account = account_of(user, eth=10**12)
    with pytest.raises(InsufficientGasError) as caught:
        operations.build(account, [send_ether(10**12)], sponsored=False)
    assert caught.value.available == 10**12
    assert "for gas" in caught.value.message
    assert caught.value.needed > 10**12
    assert account.address in caught.value.message


def test_what_would_fail_is_said_before_it_is_signed(user: User, bundler: Alto) -> None:

    release = Escrow.for_network(default_network()).encode_release("0x" + "12" * 32)
    with pytest.raises(BundlerRefusedError, match="WrongStatus") as caught:
        operations.build(account_of(user), [release], sponsored=False)
    assert caught.value.code == "would_revert"


def test_one_operation_of_an_account_is_on_its_way_at_a_time(user: User, bundler: Alto) -> None:
    account = account_of(user)
    first = operations.build(account, [send_ether(1)], sponsored=False)
    second = operations.build(account, [send_ether(2)], sponsored=False)
    UserOperation.objects.filter(pk=first.pk).update(status="unknown", signed_at=timezone.now())
    with pytest.raises(OperationInFlightError):
        operations.build(account, [send_ether(3)], sponsored=False)
    with pytest.raises(OperationInFlightError):
        submit(user, second)
    with pytest.raises(WrongStateError):
        operations.replace(user, second)


@pytest.mark.django_db(transaction=True)
def test_the_same_signature_sent_many_times_at_once_is_one_operation(user: User, bundler: Alto) -> None:
    operation = operations.build(account_of(user), [send_ether(5)], sponsored=False)
    signature = signed(user.account, operation)  # type: ignore[attr-defined]

    def hand_over(_: int) -> str:
        try:
            mine = UserOperation.objects.select_related("account").get(pk=operation.pk)
            return operations.submit(User.objects.get(pk=user.pk), mine, signature).status
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=6) as pool:
        statuses = set(pool.map(hand_over, range(6)))
    assert statuses <= {"signed", "submitted", "included"}
    operation.refresh_from_db()
    wait_for(operation, "included")
    assert balance(NOBODY) == 5


def test_a_replacement_with_higher_fees_takes_the_place_of_the_first(user: User, bundler: Alto) -> None:
    # given an operation that a bundler holds and does not send, as its block does not come

    account = account_of(user)
    pool = pool_of(default_network())
    pool.call("evm_setAutomine", False)
    try:
        first = operations.build(account, [send_ether(5)], sponsored=False)
        submit(user, first)

        # when
        second = operations.replace(user, first)
        assert second.nonce == first.nonce
        assert second.max_fee_per_gas > first.max_fee_per_gas * 11 // 10
        submit(user, second)
        assert second.status in {"submitted", "failed", "unknown"}
    finally:
        pool.call("evm_setAutomine", True)
        pool.call("anvil_mine", "0x1")

    # then one of the two is done, and the other is over once that is final
    def ended() -> bool:
        look(first)
        look(second)
        mine_blocks(default_network(), 1)
        return {first.status, second.status} in ({"included", "dropped"}, {"included", "failed"})

    wait_until(first, ended, f"{first.status} {second.status}")
    assert balance(NOBODY) == 5
    # and of the one that never happens it is said which one did
    done, over = sorted((first, second), key=lambda each: each.status != "included")
    over.refresh_from_db()
    if over.status == "dropped":
        assert (over.code, over.displaced_by) == ("displaced", done)
        assert over.detail.startswith("It was replaced")


def test_a_reorg_makes_an_included_operation_unknown_and_it_is_found_again(user: User, bundler: Alto) -> None:

    account = account_of(user)
    with reorg_on(default_network()) as undo:
        operation = operations.build(account, [send_ether(5)], sponsored=False)
        wait_for(submit(user, operation), "included")
        undo()
    look(operation)
    assert operation.status == "unknown"
    assert operation.block_number is None
    # the same bytes, handed over again, happen
    handle_ops(operation)
    wait_for(operation, "included")
    assert balance(NOBODY) == 5


def handle_ops(operation: UserOperation) -> None:
    """Anybody may put a signed operation into a block, without a bundler."""

    op = UserOp.of(operation)
    packed = (
        *(op.sender, op.nonce, op.init_code, op.call_data, op.account_gas_limits),
        *(op.pre_verification_gas, op.gas_fees, op.paymaster_and_data, op.signature),
    )
    anybody = Account.create()
    give(anybody.address, 10**18)
    call = entry_point.contract(default_network()).call("handleOps", [packed], anybody.address)
    send_call(default_network(), call, anybody)


def test_what_nobody_signs_lapses(user: User, bundler: Alto) -> None:
    operation = operations.build(account_of(user), [send_ether()], sponsored=False)
    assert operations.lapse() == 0
    UserOperation.objects.update(expires_at=timezone.now())
    assert operations.lapse() == 1
    operation.refresh_from_db()
    assert (operation.status, operation.code) == ("dropped", "not_signed")
    with pytest.raises(WrongStateError, match="Build a new one"):
        submit(user, operation)
    assert following.follow_all() == 0
