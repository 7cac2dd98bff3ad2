"""What the listener reads of a node, typed. An answer that is not well formed is an IncompleteAnswerError."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from chain.errors import IncompleteAnswerError, RpcError
from chain.rpc.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header, as far as it is needed. `timestamp` is in unix seconds."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    bloom: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """A log. `timestamp` is its block's, where the node tells it."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: str
    transaction_hash: str
    log_index: int
    timestamp: int | None


class Node:
    """One endpoint, asked as the listener asks."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.name = endpoint.name

    def head(self) -> Header:
        """The newest block."""
        header = _header(self._endpoint.call("eth_getBlockByNumber", "latest", False))
        if header is None:
            raise IncompleteAnswerError(f"{self.name} gave no latest block.")
        return header

    def headers(self, numbers: Iterable[int]) -> list[Header | None]:
        """The canonical blocks of these heights; None for one that the node does not have."""
        wanted = list(numbers)
        answers = self._endpoint.batch([("eth_getBlockByNumber", [hex(number), False]) for number in wanted])
        headers = [_header(answer) for answer in answers]
        for number, header in zip(wanted, headers, strict=True):
            if header is not None and header.number != number:
                raise IncompleteAnswerError(f"{self.name} gave block {header.number} for {number}.")
        return headers

    def logs(self, first: int, last: int, addresses: Sequence[str]) -> list[Log]:
        """The logs of a range of blocks, in order. Raises RangeTooLargeError."""
        condition = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(addresses)}
        logs = _logs(self._endpoint.call("eth_getLogs", condition))
        wanted = {bytes.fromhex(address[2:]) for address in addresses}
        if any(not first <= log.block_number <= last or log.address not in wanted for log in logs):
            raise IncompleteAnswerError(f"{self.name} gave logs that were not asked for.")
        return logs

    def logs_of(self, headers: Sequence[Header], addresses: Sequence[str]) -> list[list[Log]]:
        """The logs of single blocks, asked for by hash, so that they cannot be those of another branch."""
        answers = self._endpoint.batch(
            [("eth_getLogs", [{"blockHash": header.hash, "address": list(addresses)}]) for header in headers]
        )
        return [self._of_block(header, _logs(answer)) for header, answer in zip(headers, answers, strict=True)]

    def receipt_logs(self, headers: Sequence[Header]) -> list[list[Log]] | None:
        """All logs of single blocks, from their receipts; None when the node has no such method."""
        try:
            answers = self._endpoint.batch([("eth_getBlockReceipts", [header.hash]) for header in headers])
        except RpcError as exc:
            if exc.rpc_code == -32601:
                return None
            raise
        found: list[list[Log]] = []
        for header, receipts in zip(headers, answers, strict=True):
            if not isinstance(receipts, list) or any(not isinstance(receipt, dict) for receipt in receipts):
                raise IncompleteAnswerError(f"{self.name} has no receipts of block {header.number} yet.")
            logs = [log for receipt in receipts for log in receipt.get("logs") or []]
            found.append(self._of_block(header, _logs(logs)))
        return found

    def _of_block(self, header: Header, logs: list[Log]) -> list[Log]:
        if any(log.block_hash != header.hash or log.block_number != header.number for log in logs):
            raise IncompleteAnswerError(f"{self.name} gave logs of another block than {header.number}.")
        return logs


def _header(answer: Any) -> Header | None:
    if answer is None:
        return None
    try:
        return Header(
            number=int(answer["number"], 16),
            hash=_hash(answer["hash"]),
            parent_hash=_hash(answer["parentHash"]),
            timestamp=int(answer["timestamp"], 16),
            bloom=bytes.fromhex(answer["logsBloom"][2:]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise IncompleteAnswerError("A block's header is not complete.") from exc


def _logs(answer: Any) -> list[Log]:
    if not isinstance(answer, list):
        raise IncompleteAnswerError("The node gave no list of logs.")
    try:
        logs = [_log(each) for each in answer]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise IncompleteAnswerError("A log is not complete.") from exc
    logs.sort(key=lambda log: (log.block_number, log.log_index))
    for before, log in pairwise(logs):
        if before.block_number == log.block_number and (
            before.log_index == log.log_index or before.block_hash != log.block_hash
        ):
            raise IncompleteAnswerError("The node gave two versions of one block, or a log twice.")
    return logs


def _log(each: dict[str, Any]) -> Log:
    if each.get("removed"):
        raise ValueError("a log of a removed block")
    timestamp = each.get("blockTimestamp")
    return Log(
        address=bytes.fromhex(each["address"][2:]),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in each["topics"]),
        data=bytes.fromhex(each["data"][2:]),
        block_number=int(each["blockNumber"], 16),
        block_hash=_hash(each["blockHash"]),
        transaction_hash=_hash(each["transactionHash"]),
        log_index=int(each["logIndex"], 16),
        timestamp=int(timestamp, 16) if timestamp else None,
    )


def _hash(text: str) -> str:
    if len(text) != 66 or not text.startswith("0x"):
        raise ValueError("not a hash")
    return text.lower()
