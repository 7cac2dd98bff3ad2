"""Bundlers that are down, lie, or refuse; and what their refusals mean."""

import pytest
from pytest_django.fixtures import Settings

from chain.errors import RpcError
from chain.networks import default_network
from chain.rpc import pool_of
from deploy.local.engines import Alto, free_port
from tests.bundler_fixtures import use_bundlers
from tests.chain_fixtures import Contracts
from tests.wallets.smart_accounts.helpers import NOBODY, account_of, balance, look, send_ether, submit, wait_for
from tests.wallets.smart_accounts.scripted import GARBAGE, SILENCE, Refusal, ScriptedBundler
from wallets.models import User, UserOperation
from wallets.smart_accounts import operations
from wallets.smart_accounts.bundler import bundlers_of
from wallets.smart_accounts.errors import BundlerUnavailableError, NotOfferedError
from wallets.smart_accounts.refusals import refusal

pytestmark = pytest.mark.django_db


def built(user: User) -> UserOperation:
    return operations.build(account_of(user), [send_ether(5)], sponsored=False)


@pytest.mark.parametrize(("silence"), [SILENCE, GARBAGE, Refusal(-32005, "rate limit exceeded")])
def test_no_answer_leaves_the_operation_unknown_and_the_same_bytes_are_sent_again(
    user: User, scripted: ScriptedBundler, silence: object
) -> None:
    # given a bundler that takes the operation and says nothing of it
    operation = built(user)
    scripted.answers["eth_sendUserOperation"] = silence
    submit(user, operation)
    assert operation.status == "unknown"
    assert "Do not sign another" in operation.detail

    # when it is followed after a while
    scripted.answers["eth_sendUserOperation"] = operation.user_op_hash
    UserOperation.objects.update(sent_at="2020-01-01T00:00:00Z")
    look(operation)

    # then
    assert operation.status == "submitted"
    sent = [params[0] for method, params in scripted.calls if method == "eth_sendUserOperation"]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert sent[0]["signature"] == "0x" + bytes(operation.signature).hex()


def test_a_lost_receipt_is_asked_for_at_the_chain_itself(user: User, bundler: Alto, settings: Settings) -> None:
    # given an operation that is in a block, and bundlers that are gone since
    operation = built(user)
    submit(user, operation)
    use_bundlers(settings, f"http://127.0.0.1:{free_port()}")

    # then the chain tells
    wait_for(operation, "included")
    assert balance(NOBODY) == 5


def test_the_next_bundler_takes_over(user: User, bundler: Alto, scripted: ScriptedBundler, settings: Settings) -> None:
    for bad in (SILENCE, GARBAGE):
        scripted.answers["eth_estimateUserOperationGas"] = bad
        scripted.answers["eth_sendUserOperation"] = bad
        use_bundlers(settings, f"http://127.0.0.1:{free_port()}", scripted.url, bundler.url)
        operation = built(user)
        wait_for(submit(user, operation), "included")
        assert scripted.count("eth_sendUserOperation") >= 1
    assert balance(NOBODY) == 10


def test_a_refusal_counts_only_when_nobody_may_have_the_operation(user: User, scripted: ScriptedBundler) -> None:
    operation = built(user)
    scripted.answers["eth_sendUserOperation"] = Refusal(-32505, "stake too low")
    submit(user, operation)
    assert (operation.status, operation.code) == ("failed", "stake_too_low")


def test_a_refusal_after_silence_does_not_end_an_operation(user: User, scripted: ScriptedBundler) -> None:
    operation = built(user)
    scripted.answers["eth_sendUserOperation"] = SILENCE
    submit(user, operation)
    scripted.answers["eth_sendUserOperation"] = Refusal(-32500, "AA25 invalid account nonce")
    UserOperation.objects.update(sent_at="2020-01-01T00:00:00Z")
    look(operation)
    assert operation.status == "unknown"
    assert "Another operation" in operation.detail


def test_a_bundler_of_another_chain_or_entry_point_is_not_used(user: User, scripted: ScriptedBundler) -> None:
    scripted.answers["eth_chainId"] = "0x1"
    with pytest.raises(BundlerUnavailableError):
        built(user)
    scripted.answers["eth_chainId"] = hex(default_network().chain_id)
    scripted.answers["eth_supportedEntryPoints"] = ["0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789"]
    with pytest.raises(BundlerUnavailableError):
        built(user)
    assert scripted.count("eth_estimateUserOperationGas") == 0


def test_a_lying_bundler_convinces_nobody(user: User, scripted: ScriptedBundler) -> None:
    # given a bundler that names a transaction which has nothing to do with the operation
    operation = built(user)
    scripted.answers["eth_sendUserOperation"] = operation.user_op_hash
    submit(user, operation)
    block = pool_of(default_network()).call("eth_getBlockByNumber", "0x1", False)
    scripted.answers["eth_getUserOperationReceipt"] = {
        "success": True,
        "receipt": {"transactionHash": block["transactions"][0]},
    }
    look(operation)
    assert operation.status == "submitted"


def test_an_operation_the_bundler_forgot_is_sent_again(user: User, scripted: ScriptedBundler) -> None:
    operation = built(user)
    scripted.answers["eth_sendUserOperation"] = operation.user_op_hash
    submit(user, operation)
    UserOperation.objects.update(sent_at="2020-01-01T00:00:00Z")
    look(operation)
    assert scripted.count("eth_sendUserOperation") == 2
    assert operation.status == "submitted"


def test_what_was_signed_and_not_sent_is_sent(user: User, scripted: ScriptedBundler) -> None:
    operation = built(user)
    scripted.answers["eth_sendUserOperation"] = operation.user_op_hash
    submit(user, operation)
    UserOperation.objects.update(status="signed", sent_at=None, signed_at="2020-01-01T00:00:00Z")
    look(operation)
    assert operation.status == "submitted"


def test_without_a_bundler_nothing_is_offered(user: User, contracts: Contracts, settings: Settings) -> None:
    use_bundlers(settings)
    with pytest.raises(NotOfferedError):
        account_of(user)


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        (-32507, "Invalid UserOp signature or paymaster signature", "aa24"),
        (-32500, "AA21 didn't pay prefund", "aa21"),
        (-32602, "FailedOp(0, 'AA25 invalid account nonce')", "aa25"),
        (-32501, "AA33 reverted", "aa33"),
        (-32521, "UserOperation reverted during simulation with reason: 0x", "would_revert"),
        (-32602, "maxFeePerGas must be at least 1000 (current maxFeePerGas: 1)", "fees_too_low"),
        (-32602, "replacement op must increase maxFeePerGas by 10%", "fees_too_low"),
        (-32602, "Already known", "already_known"),
        (-32504, "paymaster has been throttled", "throttled"),
        (-32000, "something new", "bundler_refused"),
    ],
)
def test_refusals_have_codes_and_sentences(code: int, message: str, meaning: str) -> None:
    error = refusal(RpcError(message, rpc_code=code))
    assert error.code == meaning
    assert len(error.message) > 20


def test_every_reason_of_the_entry_point_says_what_to_do() -> None:
    for number in (10, 13, 14, 15, 20, 21, 22, 23, 24, 25, 26, 30, 31, 32, 33, 34, 36, 40, 41, 51, 94, 95):
        error = refusal(RpcError(f"AA{number} whatever", rpc_code=-32500))
        assert error.code == f"aa{number}"
        assert "bundler refused" not in error.message


def test_bundlers_are_shared_by_network(scripted: ScriptedBundler) -> None:
    assert bundlers_of(default_network()) is bundlers_of(default_network())
