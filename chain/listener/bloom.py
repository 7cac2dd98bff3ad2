"""Blocks carry a 2048-bit filter of what their logs contain: it can prove that a block has no log of ours.

Source: the Yellow Paper, section 4.4.1, M3:2048.
"""

from collections.abc import Iterable
from functools import lru_cache

from web3 import Web3

from chain.listener.node import Log

BITS = 2048
# With more than half of its bits set, a filter lets every eighth address pass that is not there, and soon all of them.
TELLING_BITS = BITS // 2


def may_contain(bloom: bytes, addresses: Iterable[bytes]) -> bool:
    """False proves that no log of the block comes from any of `addresses`."""
    filled = int.from_bytes(bloom)
    return any(filled & _mask(address) == _mask(address) for address in addresses)


def is_telling(bloom: bytes) -> bool:
    """Whether the filter is empty enough to say anything."""
    return int.from_bytes(bloom).bit_count() <= TELLING_BITS


def bloom_of(logs: Iterable[Log]) -> bytes:
    """The filter of a block with exactly these logs."""
    filled = 0
    for log in logs:
        filled |= _mask(log.address)
        for topic in log.topics:
            filled |= _mask(topic)
    return filled.to_bytes(BITS // 8)


@lru_cache(maxsize=65536)
def _mask(item: bytes) -> int:
    digest = bytes(Web3.keccak(item))
    mask = 0
    for place in (0, 2, 4):
        mask |= 1 << (int.from_bytes(digest[place : place + 2]) & (BITS - 1))
    return mask
