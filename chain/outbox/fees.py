"""EIP-1559 fees: what to offer first, and what a replacement must offer."""

from dataclasses import dataclass
from typing import Any

from chain.errors import RpcError
from chain.rpc.pool import Pool

GWEI = 10**9
MINIMUM_TIP = 1_000_000  # wei; Base's sequencer takes any tip above zero
# Nodes take a replacement only when both fees rise by at least a tenth.
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8
HIGHEST_FEE = 500 * GWEI


@dataclass(frozen=True, slots=True)
class Fees:
    """Per unit of gas, in wei."""

    max_fee: int
    max_priority_fee: int


def current(pool: Pool) -> Fees:
    """Fees that stay valid while the base fee doubles. Raises RpcUnavailableError."""
    head: dict[str, Any] = pool.call("eth_getBlockByNumber", "latest", False)
    base_fee = int(head.get("baseFeePerGas") or "0x0", 16)
    try:
        tip = int(pool.call("eth_maxPriorityFeePerGas"), 16)
    except RpcError:
        tip = GWEI
    tip = max(tip, MINIMUM_TIP)
    return _capped(Fees(2 * base_fee + tip, tip))


def bumped(previous: Fees, now: Fees) -> Fees:
    """Fees with which a transaction may replace one that offered `previous`."""
    return _capped(
        Fees(
            max(now.max_fee, _raise(previous.max_fee)),
            max(now.max_priority_fee, _raise(previous.max_priority_fee)),
        )
    )


def _raise(fee: int) -> int:
    return fee * BUMP_NUMERATOR // BUMP_DENOMINATOR + 1


def _capped(fees: Fees) -> Fees:
    """Never more than HIGHEST_FEE, whatever a node suggests."""
    max_fee = min(fees.max_fee, HIGHEST_FEE)
    return Fees(max_fee, min(fees.max_priority_fee, max_fee))
