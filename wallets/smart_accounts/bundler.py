"""The bundlers of a network over their standard JSON-RPC (ERC-7769), asked in the order of the settings.

An operation may be handed to several: its bytes never change, and its nonce lets it happen once. So a bundler that does
not answer makes way for the next, but leaves the outcome unknown, because it may have taken the operation all the same.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import structlog

from chain.errors import ChainError, IncompleteAnswerError, RpcError, RpcUnavailableError, WrongChainError
from chain.networks import Network
from chain.rpc.endpoint import Endpoint
from wallets.smart_accounts.entry_point import ENTRY_POINT
from wallets.smart_accounts.errors import BundlerRefusedError, BundlerUnavailableError, NotOfferedError
from wallets.smart_accounts.refusals import refusal
from wallets.smart_accounts.user_op import UserOp

logger = structlog.get_logger(__name__)

READ_SECONDS = 10.0
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GasLimits:
    """What an operation may use, in units of gas."""

    call: int
    verification: int
    pre_verification: int
    paymaster_verification: int = 0
    paymaster_post_op: int = 0


class Bundlers:
    """The bundlers of one network. Safe to use from several threads."""

    def __init__(self, network: Network, endpoints: list[Endpoint] | None = None) -> None:
        self.network = network
        self._endpoints = endpoints or [Endpoint(url, read_seconds=READ_SECONDS) for url in network.bundler_urls]
        self._checked: set[int] = set()
        self._lock = threading.Lock()

    def estimate(self, op: UserOp) -> GasLimits:
        """The gas that `op` needs; its signature need only have the right length.

        Raises BundlerRefusedError with the reason when it would fail; BundlerUnavailableError, NotOfferedError.
        """
        answer = self._ask(lambda endpoint: endpoint.call("eth_estimateUserOperationGas", op.as_rpc(), ENTRY_POINT))
        try:
            return GasLimits(
                call=_number(answer["callGasLimit"]),
                verification=_number(answer["verificationGasLimit"]),
                pre_verification=_number(answer["preVerificationGas"]),
                paymaster_verification=_number(answer.get("paymasterVerificationGasLimit") or 0),
                paymaster_post_op=_number(answer.get("paymasterPostOpGasLimit") or 0),
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise BundlerUnavailableError("The bundler gave no estimate. Try again.") from exc

    def send(self, op: UserOp) -> str:
        """Hand the signed `op` over; the name of the bundler that took it.

        Raises BundlerRefusedError when every bundler that was asked refused it, so that none has it;
        BundlerUnavailableError when one did not answer, and may have it.
        """
        silent = False
        refused: BundlerRefusedError | None = None
        for index, endpoint in self._in_order():
            try:
                self._check(index, endpoint)
            except (RpcUnavailableError, WrongChainError) as exc:
                self._note(endpoint, exc)  # it was not given the operation
                continue
            try:
                endpoint.call("eth_sendUserOperation", op.as_rpc(), ENTRY_POINT)
            except RpcUnavailableError as exc:
                self._note(endpoint, exc)
                silent = True
            except ChainError as exc:
                refused = refusal(exc)
                if refused.code == "already_known":
                    return endpoint.name
                self._note(endpoint, exc)
            else:
                return endpoint.name
        if refused is not None and not silent:
            raise refused
        raise BundlerUnavailableError(
            "No bundler has answered yet. Your operation is signed and kept; we go on asking. Do not sign another."
        )

    def transaction_of(self, user_op_hash: str) -> str | None:
        """The hash of the transaction that some bundler says has the operation; a hint, to be checked on the chain.

        None when no bundler knows, which says nothing.
        """
        for index, endpoint in self._in_order():
            try:
                self._check(index, endpoint)
                answer = endpoint.call("eth_getUserOperationReceipt", user_op_hash)
            except ChainError as exc:
                self._note(endpoint, exc)
                continue
            receipt = answer.get("receipt") if isinstance(answer, dict) else None
            found = receipt.get("transactionHash") if isinstance(receipt, dict) else None
            if isinstance(found, str):
                return found
        return None

    def knows(self, user_op_hash: str) -> bool:
        """Whether some bundler says that it has the operation."""
        for index, endpoint in self._in_order():
            try:
                self._check(index, endpoint)
                if endpoint.call("eth_getUserOperationByHash", user_op_hash) is not None:
                    return True
            except ChainError as exc:
                self._note(endpoint, exc)
        return False

    def answers(self) -> list[tuple[str, str]]:
        """Each bundler by name with what is wrong with it, "" for nothing."""
        found = []
        for index, endpoint in self._in_order():
            self._checked.discard(index)
            try:
                self._check(index, endpoint)
            except ChainError as exc:
                found.append((endpoint.name, exc.message))
            else:
                found.append((endpoint.name, ""))
        return found

    def _ask(self, question: Callable[[Endpoint], T]) -> T:
        """The first answer; a refusal is raised at once, as another bundler would find the same."""
        last: ChainError | None = None
        for index, endpoint in self._in_order():
            try:
                self._check(index, endpoint)
                return question(endpoint)
            except (RpcUnavailableError, WrongChainError) as exc:
                self._note(endpoint, exc)
                last = exc
            except RpcError as exc:
                raise refusal(exc) from exc
        raise BundlerUnavailableError("No bundler answers at the moment. Try again in a minute.") from last

    def _in_order(self) -> list[tuple[int, Endpoint]]:
        if not self._endpoints:
            raise NotOfferedError(f"Smart accounts are not offered on {self.network.name}: no bundler is configured.")
        return list(enumerate(self._endpoints))

    def _check(self, index: int, endpoint: Endpoint) -> None:
        """Once for each bundler: is it on the chain, and does it serve the EntryPoint?"""
        with self._lock:
            if index in self._checked:
                return
        chain_id = endpoint.call("eth_chainId")
        served = endpoint.call("eth_supportedEntryPoints")
        if not isinstance(served, list) or not isinstance(chain_id, str):
            raise IncompleteAnswerError(f"{endpoint.name} is no bundler.")
        if int(chain_id, 16) != self.network.chain_id:
            raise WrongChainError(f"The bundler {endpoint.name} is on chain {int(chain_id, 16)}.")
        if ENTRY_POINT.lower() not in [str(address).lower() for address in served]:
            raise WrongChainError(f"The bundler {endpoint.name} does not serve EntryPoint v0.7.")
        with self._lock:
            self._checked.add(index)

    def _note(self, endpoint: Endpoint, error: ChainError) -> None:
        logger.warning(
            "bundler_failed",
            network=self.network.slug,
            bundler=endpoint.name,
            code=error.code,
            detail=error.message[:300],
        )


@lru_cache(maxsize=32)
def bundlers_of(network: Network) -> Bundlers:
    """The bundlers of `network`, shared by the process. Keyed by the whole network: other settings make others."""
    return Bundlers(network)


def _number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
