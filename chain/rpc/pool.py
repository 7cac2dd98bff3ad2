"""The endpoints of one network: each is checked for the right chain, and a failing one is left alone for a while."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from chain.errors import ChainError, RpcUnavailableError, WrongChainError
from chain.networks import Network
from chain.rpc.endpoint import Endpoint

logger = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
T = TypeVar("T")


class _Member:
    """An endpoint with what we know of its health."""

    __slots__ = ("checked", "endpoint", "failures", "paused_until", "reason")

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.checked = False
        self.failures = 0
        self.paused_until = 0.0
        self.reason: ChainError | None = None


class Pool:
    """Runs a call against the first endpoint that can answer. Safe to use from several threads."""

    def __init__(
        self, network: Network, endpoints: list[Endpoint] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.network = network
        self._members = [_Member(each) for each in endpoints or [Endpoint(url) for url in network.rpc_urls]]
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def endpoints(self) -> list[Endpoint]:
        """All endpoints, in the order of the settings."""
        return [member.endpoint for member in self._members]

    def call(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call. Raises what `run` raises."""
        return self.run(lambda endpoint: endpoint.call(method, *params))

    def run(self, work: Callable[[Endpoint], T]) -> T:
        """`work(endpoint)` with the first endpoint that manages it.

        An endpoint that is unavailable, slow, limited or on another chain makes way for the next; what a node refuses
        (RpcError) or asks to be cut smaller (RangeTooLargeError) is raised at once. When none manages, the last error
        is raised: RpcUnavailableError, or WrongChainError when every endpoint is on another chain.
        """
        last: ChainError | None = None
        for member in self._in_order():
            try:
                self._check(member)
                result = work(member.endpoint)
            except (RpcUnavailableError, WrongChainError) as exc:
                self._failed(member, exc)
                last = last if isinstance(exc, WrongChainError) and last is not None else exc
            else:
                member.failures = 0
                return result
        raise last or RpcUnavailableError(f"No RPC endpoint of {self.network.name} is configured.")

    def set_aside(self, indexes: list[int], seconds: float = LONGEST_PAUSE_SECONDS) -> None:
        """Ask these endpoints (by their place in the settings) only when no other answers, for `seconds`."""
        with self._lock:
            for index in indexes:
                self._members[index].paused_until = self._clock() + seconds
                logger.warning(
                    "rpc_endpoint_set_aside", network=self.network.slug, endpoint=self._members[index].endpoint.name
                )

    def _in_order(self) -> list[_Member]:
        """Healthy endpoints in the order of the settings, then the paused ones, soonest first: a paused endpoint is
        still better than none."""
        now = self._clock()
        return sorted(self._members, key=lambda member: max(member.paused_until, now))

    def _check(self, member: _Member) -> None:
        if member.checked:
            return
        answer = member.endpoint.call("eth_chainId")
        try:
            chain_id = int(answer, 16)
        except (TypeError, ValueError) as exc:
            raise RpcUnavailableError(f"{member.endpoint.name} gave no chain id.") from exc
        if chain_id != self.network.chain_id:
            raise WrongChainError(
                f"{member.endpoint.name} is on chain {chain_id}, but {self.network.name} is chain "
                f"{self.network.chain_id}. Correct the RPC URL of {self.network.slug!r}."
            )
        member.checked = True

    def _failed(self, member: _Member, error: ChainError) -> None:
        with self._lock:
            member.failures += 1
            member.checked = False  # behind the same URL there may be another node afterwards
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(member.failures - 1, 10))
            member.paused_until = self._clock() + pause
        log = logger.error if isinstance(error, WrongChainError) else logger.warning
        log(
            "rpc_endpoint_failed",
            network=self.network.slug,
            endpoint=member.endpoint.name,
            code=error.code,
            detail=error.message,
            pause_seconds=pause,
        )
