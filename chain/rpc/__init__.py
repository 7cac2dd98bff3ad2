"""Connections to the nodes of a network, shared by the whole process."""

import threading
from functools import lru_cache

from web3 import Web3

from chain.networks import Network
from chain.rpc.pool import Pool
from chain.rpc.provider import web3_on

__all__ = ["Pool", "connect", "pool_of"]

_lock = threading.Lock()


def connect(network: Network) -> Web3:
    """A Web3 for `network` with failover; the chain id of an endpoint is checked before its first use.

    Its calls raise RpcUnavailableError when no endpoint answers and WrongChainError when they are on another chain.
    """
    with _lock:
        return _web3(network)


def pool_of(network: Network) -> Pool:
    """The endpoints of `network`."""
    with _lock:
        return _pool(network)


# Keyed by the whole network: other settings make another pool.
@lru_cache(maxsize=32)
def _pool(network: Network) -> Pool:
    return Pool(network)


@lru_cache(maxsize=32)
def _web3(network: Network) -> Web3:
    return web3_on(_pool(network))
