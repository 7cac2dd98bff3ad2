"""What the errors of nodes and providers mean. JSON-RPC fixes few codes, so the wording decides.

Sources: the error texts of geth, erigon, nethermind, besu, reth and anvil, and the public error references of Alchemy,
Infura, QuickNode, Ankr, Chainstack, dRPC, Coinbase and Cloudflare.
"""

import re

from chain.errors import (
    ChainError,
    IncompleteAnswerError,
    RangeTooLargeError,
    RateLimitedError,
    RpcError,
    RpcUnavailableError,
)

_RANGE = re.compile(
    r"returned more than \d+|more than \d+ (?:results|logs)|block range|blocks? range|range (?:is )?too (?:large|wide)"
    r"|limited to (?:a )?[\d,]+|exceeds? (?:the )?(?:max|maximum|allowed|range)|too many blocks|max range"
    r"|maximum is set to|response size|response (?:is )?too (?:big|large)|log response|ranges? over \d+"
    r"|query timeout exceeded|query returned too many|logs matched by query exceeds",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"rate.?limit|too many requests|request rate|request count exceeded|compute units|throughput|capacity exceeded"
    r"|capacity limit|over.?quota|quota exceeded|credits|retry in|requests? per second|throttl",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"unknown block|header not found|block not found|cannot be found|missing trie node|block is out of range"
    r"|invalid block range params|not (?:yet )?available|could not find block|beyond current head|after last accepted"
    r"|resource not found|state .*unavailable|no state available|pruned|is not finalized",
    re.IGNORECASE,
)
_BUSY = re.compile(
    r"timed? ?out|timeout|internal error|unavailable|overloaded|try again|backend|upstream|no (?:healthy )?node|"
    r"context deadline exceeded|temporar",
    re.IGNORECASE,
)
_RATE_CODES = frozenset({429, -32097, -32029, -32007, -33000})
_NODE_REFUSES = frozenset({3, -32000, -32003})
_METHOD_MISSING = frozenset({-32601, -32004})


def error_of(code: int, message: str, data: object, method: str) -> ChainError:
    """The error to raise for a JSON-RPC error object that answered `method`."""
    if method in READS and _BEHIND.search(message):
        return IncompleteAnswerError(f"The node does not have the block yet: {message[:200]}")
    if method == "eth_getLogs" and _RANGE.search(message) and not _RATE.search(message):
        return RangeTooLargeError(f"The node does not answer for so many blocks at once: {message[:200]}")
    if code in _RATE_CODES or _RATE.search(message) or (code == -32005 and "limit" in message.lower()):
        return RateLimitedError("The endpoint limits how much it may be asked; it is asked again later.")
    if code in _METHOD_MISSING or "method not found" in message.lower() or "does not exist" in message.lower():
        return RpcError(f"The node does not know {method}.", rpc_code=-32601)
    if method in READS and code not in _NODE_REFUSES and _BUSY.search(message):
        return RpcUnavailableError(f"The node could not answer {method}: {message[:200]}")
    return RpcError(message[:500] or "The node gave no reason.", rpc_code=code, data=data)


# Methods whose answer another endpoint, or the same one a little later, may well give.
READS = frozenset(
    {
        "eth_blockNumber",
        "eth_getLogs",
        "eth_getBlockByNumber",
        "eth_getBlockByHash",
        "eth_getBlockReceipts",
        "eth_getTransactionReceipt",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getBalance",
        "eth_getCode",
    }
)
