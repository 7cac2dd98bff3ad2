"""web3.py on top of a pool, for code that wants its conveniences."""

from typing import Any

from web3 import Web3
from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from chain.errors import RpcError, RpcUnavailableError
from chain.rpc.pool import Pool


class PoolProvider(JSONBaseProvider):
    """A web3 provider that fails over; errors of the node reach web3, all others are raised as ChainErrors."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self.pool = pool

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One call. Raises RpcUnavailableError and its kin."""
        try:
            result = self.pool.call(method, *params)
        except RpcError as exc:
            return {
                "jsonrpc": "2.0",
                "id": 1,
                "error": {"code": exc.rpc_code, "message": exc.message, "data": exc.data},  # type: ignore[typeddict-item]
            }
        return {"jsonrpc": "2.0", "id": 1, "result": result}

    def is_connected(self, show_traceback: bool = False) -> bool:
        try:
            self.pool.call("eth_chainId")
        except RpcUnavailableError:
            return False
        return True


def web3_on(pool: Pool) -> Web3:
    """A Web3 that speaks through `pool`."""
    return Web3(PoolProvider(pool))
