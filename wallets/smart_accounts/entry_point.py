"""EntryPoint v0.7: nonces, deposits, and what it said of an operation."""

from dataclasses import dataclass
from typing import Any

from chain import artefacts
from chain.calls import Contract
from chain.errors import IncompleteAnswerError
from chain.networks import Network
from chain.rpc import pool_of

# The only EntryPoint whose word counts; our accounts obey no other either.
ENTRY_POINT = "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
# keccak256("UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)") and
# keccak256("UserOperationRevertReason(bytes32,address,uint256,bytes)").
_OUTCOME = "0x49628fd1471006c1482da88028e9ce4dbb080b815c9b0344d39e5a8e6ec1419f"
_REASON = "0x1c4fada7374c0a9ee8841fc38afe82932dc0f8e69012e927f061a8bae611a201"
# Blocks that every provider answers eth_getLogs for at once.
LOG_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the chain says of an operation. `gas_cost` in wei; `reason` says why its calls failed, if they did."""

    success: bool
    gas_cost: int
    transaction_hash: str
    block_number: int
    block_hash: str
    reason: str


def contract(network: Network) -> Contract:
    """The EntryPoint of `network`."""
    return Contract(network, ENTRY_POINT, artefacts.load(artefacts.ENTRY_POINT))


def nonce_of(network: Network, account: str, block: str = "latest") -> int:
    """The nonce of the account's next operation (key 0). Raises RpcUnavailableError."""
    return int(contract(network).read("getNonce", account, 0, block=block))


def deposit_of(network: Network, account: str) -> int:
    """Wei that the account has at the EntryPoint, from which gas is paid first. Raises RpcUnavailableError."""
    return int(contract(network).read("balanceOf", account))


def outcome_in_logs(network: Network, user_op_hash: str, first: int, last: int) -> Outcome | None:
    """What blocks `first` to `last` say of the operation. Raises RpcUnavailableError and its kin."""
    pool = pool_of(network)
    for start in range(first, last + 1, LOG_WINDOW):
        asked = {
            "address": ENTRY_POINT,
            "topics": [_OUTCOME, user_op_hash],
            "fromBlock": hex(start),
            "toBlock": hex(min(last, start + LOG_WINDOW - 1)),
        }
        logs = pool.call("eth_getLogs", asked)
        if not isinstance(logs, list):
            raise IncompleteAnswerError("The node gave no list of logs.")
        for log in logs:
            found = outcome_in_transaction(network, user_op_hash, str(log.get("transactionHash")))
            if found is not None:
                return found
    return None


def outcome_in_transaction(network: Network, user_op_hash: str, transaction_hash: str) -> Outcome | None:
    """What a transaction says of the operation; None when it is not mined or says nothing.

    A transaction that succeeded may hold an operation that failed: only UserOperationEvent tells. Only logs of the
    allow-listed EntryPoint count.
    """
    receipt = pool_of(network).call("eth_getTransactionReceipt", transaction_hash)
    if not isinstance(receipt, dict) or int(receipt.get("status") or "0x0", 16) != 1:
        return None
    interface = artefacts.load(artefacts.ENTRY_POINT).interface
    event: dict[str, Any] | None = None
    reason = ""
    for log in receipt.get("logs") or []:
        topics = log.get("topics") or []
        if str(log.get("address")).lower() != ENTRY_POINT.lower() or len(topics) < 2 or log.get("removed"):
            continue
        if str(topics[1]).lower() != user_op_hash.lower() or topics[0] not in (_OUTCOME, _REASON):
            continue
        decoded = interface.decode_log([_bytes(topic) for topic in topics], _bytes(log["data"]))
        if decoded is not None and topics[0] == _OUTCOME:
            event = decoded.args
        elif decoded is not None:
            reason = revert_reason(_bytes(decoded.args["revertReason"]))
    if event is None:
        return None
    return Outcome(
        success=bool(event["success"]),
        gas_cost=int(event["actualGasCost"]),
        transaction_hash=str(receipt["transactionHash"]),
        block_number=int(receipt["blockNumber"], 16),
        block_hash=str(receipt["blockHash"]),
        reason=reason,
    )


def revert_reason(data: bytes) -> str:
    """Why a call failed, by the names of our contracts' errors."""
    for name in (artefacts.ESCROW, artefacts.ENTITLEMENTS, artefacts.TEST_USDC, artefacts.AGENT_ACCOUNT):
        shown = artefacts.load(name).interface.describe_error(data)
        if not shown.startswith("0x"):
            return shown[:300]
    return "0x" + data[:64].hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
