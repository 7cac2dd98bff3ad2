"""A chain in memory, and nodes that tell of it in every wrong way that real ones have been seen to.

`FakeChain` mines and reorganises. `FakeNode` answers JSON-RPC about it as bytes, so that everything from the parsing of
an answer upwards is under test. Its faults are drawn from a seeded generator: a seed is a scenario.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode
from web3 import Web3

from chain import artefacts
from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.listener.bloom import bloom_of
from chain.listener.node import Log

CHAIN_ID = 31337
START = 10
ADDRESSES = {ENTITLEMENTS: "0x" + "e1" * 20, ESCROW: "0x" + "e5" * 20}
STRANGER = "0x" + "99" * 20


@dataclass
class FakeBlock:
    """A block with its logs; `crowd` logs of others fill its filter."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    logs: list[dict[str, Any]] = field(default_factory=list)
    bloom: str = ""


class FakeChain:
    """The truth: a list of blocks, whose end can be replaced."""

    def __init__(self, rng: random.Random, busy: bool = False) -> None:
        self.rng = rng
        self.busy = busy
        self.blocks: list[FakeBlock] = []
        self.abandoned: list[list[FakeBlock]] = []
        for _ in range(START + 1):
            self.mine(events=0)

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def mine(self, events: int | None = None) -> FakeBlock:
        """Add a block with some events of ours and some logs of strangers."""
        rng = self.rng
        number = len(self.blocks)
        parent = self.blocks[-1].hash if self.blocks else "0x" + "00" * 32
        block_hash = Web3.to_hex(Web3.keccak(f"{parent}{number}{rng.random()}".encode()))
        block = FakeBlock(number, block_hash, parent, 1_700_000_000 + 2 * number)
        ours = events if events is not None else rng.choice((0, 0, 0, 1, 1, 2, 5))
        logs = [self._event() for _ in range(ours)] + [self._foreign() for _ in range(rng.choice((0, 0, 1, 3)))]
        rng.shuffle(logs)
        for index, log in enumerate(logs):
            block.logs.append(
                log
                | {
                    "blockNumber": hex(number),
                    "blockHash": block_hash,
                    "transactionHash": Web3.to_hex(Web3.keccak(f"{block_hash}{index // 3}".encode())),
                    "transactionIndex": hex(index // 3),
                    "logIndex": hex(index),
                    "removed": False,
                }
            )
        block.bloom = "0x" + ("ff" * 256 if self.busy else bloom_of(map(_as_log, block.logs)).hex())
        self.blocks.append(block)
        return block

    def reorg(self, depth: int, length: int) -> None:
        """Replace the last `depth` blocks by `length` others."""
        depth = min(depth, len(self.blocks) - START - 1)
        if depth > 0:
            self.abandoned.append(list(self.blocks))
            del self.blocks[-depth:]
        for _ in range(length):
            self.mine()

    def our_logs(self) -> list[dict[str, Any]]:
        """What an index of the canonical chain must hold."""
        ours = set(ADDRESSES.values())
        return [log for block in self.blocks for log in block.logs if log["address"] in ours]

    def _event(self) -> dict[str, Any]:
        rng = self.rng
        contract = rng.choice((ENTITLEMENTS, ESCROW))
        interface = artefacts.load(contract).interface
        if contract == ENTITLEMENTS:
            topics = [interface.topic("EntitlementChanged"), _word(rng.getrandbits(160)), _word(rng.randrange(5))]
            data = encode(["uint64"], [rng.getrandbits(64)])
        else:
            topics = [interface.topic("PaymentRefunded"), _word(rng.getrandbits(256))]
            data = encode(["uint256"], [rng.getrandbits(256)])
        return {"address": ADDRESSES[contract], "topics": topics, "data": "0x" + data.hex()}

    def _foreign(self) -> dict[str, Any]:
        topic = _word(self.rng.getrandbits(256))
        return {"address": STRANGER, "topics": [topic], "data": "0x"}


@dataclass(frozen=True, slots=True)
class Faults:
    """How often (0..1) a node does what it should not."""

    times_out: float = 0.0
    refuses: float = 0.0
    limits: float = 0.0
    garbles: float = 0.0
    lags: float = 0.0
    other_branch: float = 0.0
    missing_block: float = 0.0
    wrong_hash: float = 0.0
    null_receipts: float = 0.0
    half_receipts: float = 0.0
    empty_logs: float = 0.0
    half_logs: float = 0.0
    most_blocks: int = 0
    most_batch: int = 0
    batch_loses: float = 0.0
    no_receipts_method: bool = False

    @classmethod
    def storm(cls, rng: random.Random) -> "Faults":
        """Everything at once, each in its own strength."""
        strength = rng.choice((0.02, 0.1, 0.25))
        return cls(
            **{
                name: rng.random() * strength
                for name in cls.__slots__
                if name not in ("most_blocks", "most_batch", "no_receipts_method")
            },
            most_blocks=rng.choice((0, 0, 1, 7, 50)),
            most_batch=rng.choice((0, 0, 1, 3, 10)),
            no_receipts_method=rng.random() < 0.1,
        )


# What big providers say when they are asked for too many blocks or logs (code, text, HTTP status).
RANGE_REFUSALS: tuple[tuple[int, str], ...] = (
    (
        -32602,
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit "
        "on the response size, or you can request any block range with a cap of 10K logs in the response. Based on "
        "your parameters and the response size limit, this block range should work: [0x1, 0x2]",
    ),
    (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2]."),
    (-32614, "eth_getLogs is limited to a 10,000 range"),
    (-32600, "block range is too wide"),
    (-32000, "exceed maximum block range: 50000"),
    (-32000, "query exceeds max block range 2000"),
    (-32602, "query exceeds max results 20000, retry with the range 1-2"),
    (-32600, "requested too many blocks from 1 to 9999, maximum is set to 2048"),
    (-32602, "invalid params: block range too large, max range: 800"),
    (-32000, "Block range limit exceeded. See more details at https://docs.chainstack.com"),
    (35, "ranges over 10000 blocks are not supported on freetier"),
    (-32005, "logs matched by query exceeds limit of 10000"),
    (-32000, "response size should not greater than 10000000 bytes"),
    (-32020, "backend response too large"),
    (
        -32701,
        "Please specify an address in your request or, to remove restrictions, order a dedicated full node. "
        "Block range is limited to 1000",
    ),
)
RATE_REFUSALS: tuple[tuple[int, str], ...] = (
    (429, "Your app has exceeded its compute units per second capacity."),
    (-32005, "project ID request rate exceeded"),
    (-32007, "50/second request limit reached - reduce calls per second or upgrade your account"),
    (-32097, "daily request count exceeded, request rate limited"),
    (-32016, "over rate limit"),
    (-32029, "Too Many Requests"),
)
BEHIND_REFUSALS: tuple[tuple[int, str], ...] = (
    (-32000, "unknown block"),
    (-32000, "header not found"),
    (-32001, "resource not found"),
    (-32000, "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found."),
    (-32602, "invalid block range params"),
)


class FakeNode:
    """Answers about a chain. Give its `transport` to an Endpoint."""

    def __init__(self, chain: FakeChain, rng: random.Random, faults: Faults | None = None) -> None:
        self.chain = chain
        self.rng = rng
        self.faults = faults or Faults()
        self.chain_id = CHAIN_ID
        self.requests = 0

    def transport(self, body: bytes) -> tuple[int, bytes]:
        """As chain.rpc.endpoint.Transport."""
        self.requests += 1
        faults = self.faults
        if self._happens(faults.times_out):
            raise TimeoutError
        if self._happens(faults.refuses):
            raise ConnectionError
        if self._happens(faults.limits):
            return (429, b"slow down") if self.rng.random() < 0.5 else self._error_all(body, RATE_REFUSALS)
        if self._happens(faults.garbles):
            return self.rng.choice(
                ((502, b"<html>Bad Gateway</html>"), (200, b"{"), (200, b"null"), (503, b"{}"), (200, b'"ok"'))
            )
        asked = json.loads(body)
        blocks = self._view()
        if isinstance(asked, dict):
            return 200, json.dumps(self._answer(asked, blocks)).encode()
        if faults.most_batch and len(asked) > faults.most_batch:
            error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}}
            return self.rng.choice(
                ((200, json.dumps(error).encode()), (413, b"too large"), (400, json.dumps(error).encode()))
            )
        answers = [self._answer(each, blocks) for each in asked]
        if self._happens(faults.batch_loses):
            answers.pop(self.rng.randrange(len(answers)))
        self.rng.shuffle(answers)
        return 200, json.dumps(answers).encode()

    # ------------------------------------------------------------------ inside

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.rng.random() < chance

    def _view(self) -> list[FakeBlock]:
        """The blocks that this answer is about: perhaps a node behind the others, or one still on another branch."""
        if self.chain.abandoned and self._happens(self.faults.other_branch):
            return self.rng.choice(self.chain.abandoned[-3:])
        if self._happens(self.faults.lags):
            return self.chain.blocks[: max(START + 2, len(self.chain.blocks) - self.rng.randrange(1, 12))]
        return self.chain.blocks

    def _error_all(self, body: bytes, kinds: tuple[tuple[int, str], ...]) -> tuple[int, bytes]:
        asked = json.loads(body)
        answers = [self._error(each, kinds) for each in (asked if isinstance(asked, list) else [asked])]
        return 200, json.dumps(answers if isinstance(asked, list) else answers[0]).encode()

    def _error(self, asked: dict[str, Any], kinds: tuple[tuple[int, str], ...]) -> dict[str, Any]:
        code, message = self.rng.choice(kinds)
        return {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": code, "message": message}}

    def _answer(self, asked: dict[str, Any], blocks: list[FakeBlock]) -> dict[str, Any]:
        method, params = asked["method"], asked["params"]
        handler: Callable[..., Any] = {
            "eth_chainId": self._chain_id,
            "eth_blockNumber": lambda _params, view: hex(len(view) - 1),
            "eth_getBlockByNumber": self._block,
            "eth_getLogs": self._logs,
            "eth_getBlockReceipts": self._receipts,
        }[method]
        try:
            result = handler(params, blocks)
        except _RefusalError as refusal:
            return self._error(asked, refusal.kinds)
        return {"jsonrpc": "2.0", "id": asked["id"], "result": result}

    def _chain_id(self, params: list[Any], blocks: list[FakeBlock]) -> str:
        return hex(self.chain_id)

    def _block(self, params: list[Any], blocks: list[FakeBlock]) -> dict[str, Any] | None:
        number = len(blocks) - 1 if params[0] == "latest" else int(params[0], 16)
        if number >= len(blocks) or (params[0] != "latest" and self._happens(self.faults.missing_block)):
            return None
        block = blocks[number]
        block_hash = block.hash
        if number > START and self._happens(self.faults.wrong_hash):
            block_hash = Web3.to_hex(Web3.keccak(text=f"wrong{self.rng.random()}"))
        return {
            "number": hex(number),
            "hash": block_hash,
            "parentHash": block.parent_hash,
            "timestamp": hex(block.timestamp),
            "logsBloom": block.bloom,
        }

    def _logs(self, params: list[Any], blocks: list[FakeBlock]) -> list[dict[str, Any]]:
        condition = params[0]
        if "blockHash" in condition:
            wanted = [block for block in blocks if block.hash == condition["blockHash"]]
            if not wanted:
                raise _RefusalError(BEHIND_REFUSALS)
        else:
            first, last = int(condition["fromBlock"], 16), int(condition["toBlock"], 16)
            if self.faults.most_blocks and last - first + 1 > self.faults.most_blocks:
                raise _RefusalError(RANGE_REFUSALS)
            if first >= len(blocks):
                raise _RefusalError(BEHIND_REFUSALS)
            wanted = blocks[first : last + 1]
        addresses = {address.lower() for address in condition["address"]}
        logs = [log for block in wanted for log in block.logs if log["address"] in addresses]
        if self._happens(self.faults.empty_logs):
            return []
        return self._half(logs) if self._happens(self.faults.half_logs) else logs

    def _receipts(self, params: list[Any], blocks: list[FakeBlock]) -> list[dict[str, Any]] | None:
        if self.faults.no_receipts_method:
            raise _RefusalError(((-32601, "the method eth_getBlockReceipts does not exist/is not available"),))
        found = [block for block in blocks if block.hash == params[0]]
        if not found or self._happens(self.faults.null_receipts):
            return None
        logs = self._half(found[0].logs) if self._happens(self.faults.half_receipts) else found[0].logs
        receipts: dict[str, dict[str, Any]] = {}
        for log in logs:
            receipts.setdefault(log["transactionHash"], {"logs": []})["logs"].append(log)
        return list(receipts.values())

    def _half(self, logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [log for log in logs if self.rng.random() < 0.5]


class _RefusalError(Exception):
    def __init__(self, kinds: tuple[tuple[int, str], ...]) -> None:
        self.kinds = kinds


def _word(value: int) -> str:
    return "0x" + value.to_bytes(32).hex()


def _as_log(log: dict[str, Any]) -> Log:
    return Log(
        address=bytes.fromhex(log["address"][2:]),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in log["topics"]),
        data=b"",
        block_number=0,
        block_hash="",
        transaction_hash="",
        log_index=0,
        timestamp=None,
    )
