"""Reading blocks so that what is read can be relied on.

Near the head, where nodes lag, switch branches and answer from half-filled indexes, every block is read by itself: its
header must follow the one before by parent hash; a filter without our addresses proves that it has no log of ours;
otherwise the logs come from its receipts, whose own filter must equal the header's, which shows that none is missing.
On chains so busy that the filter lets everything pass, the logs are asked for by block hash, and asked for again when
the last blocks are rescanned.

Far below the head, logs are read by ranges of blocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chain.errors import IncompleteAnswerError
from chain.listener.bloom import bloom_of, is_telling, may_contain
from chain.listener.node import Header, Log, Node

# Blocks closer to the head than this are read one by one.
TIP_DEPTH = 128


@dataclass(frozen=True, slots=True)
class Segment:
    """A wholly read stretch of blocks up to `tip`. `headers` holds those that were read singly, and always `tip`."""

    first: int
    tip: Header
    headers: tuple[Header, ...]
    logs: tuple[Log, ...]
    timestamps: dict[int, int]


def read_singly(node: Node, parent: str | None, numbers: range, addresses: Sequence[str]) -> Segment | None:
    """The blocks of `numbers`, the first of which must have the parent hash `parent` (None: any).

    Shorter than asked when the node does not have all of them, or they change while being read; None when not even the
    first is there. Raises IncompleteAnswerError when the answers contradict each other.
    """
    headers: list[Header] = []
    for number, header in zip(numbers, node.headers(numbers), strict=True):
        if header is None:
            break
        expected = headers[-1].hash if headers else parent
        if expected is not None and header.parent_hash != expected:
            if not headers:
                raise IncompleteAnswerError(f"{node.name} changed its mind on block {number} while it was read.")
            break
        headers.append(header)
    return read_blocks(node, headers, addresses) if headers else None


def read_blocks(node: Node, headers: Sequence[Header], addresses: Sequence[str]) -> Segment:
    """The blocks of these headers, which follow each other."""
    return Segment(
        first=headers[0].number,
        tip=headers[-1],
        headers=tuple(headers),
        logs=tuple(logs_of_blocks(node, headers, addresses)),
        timestamps={header.number: header.timestamp for header in headers},
    )


def logs_of_blocks(node: Node, headers: Sequence[Header], addresses: Sequence[str]) -> list[Log]:
    """Our logs of blocks known by their headers, none missing as far as that can be shown."""
    wanted = frozenset(bytes.fromhex(address[2:]) for address in addresses)
    candidates = [header for header in headers if may_contain(header.bloom, wanted)]
    telling = [header for header in candidates if is_telling(header.bloom)]
    busy = [header for header in candidates if not is_telling(header.bloom)]
    logs: list[Log] = []
    if telling:
        receipts = node.receipt_logs(telling)
        if receipts is None:
            busy, telling = candidates, []
        else:
            for header, found in zip(telling, receipts, strict=True):
                if bloom_of(found) != header.bloom:
                    raise IncompleteAnswerError(f"{node.name} left out logs of block {header.number}.")
                logs += [log for log in found if log.address in wanted]
    if busy:
        for found in node.logs_of(busy, addresses):
            logs += [log for log in found if log.address in wanted]
    logs.sort(key=lambda log: (log.block_number, log.log_index))
    return logs


def read_range(node: Node, numbers: range, addresses: Sequence[str]) -> Segment:
    """The logs of `numbers` in one request, for blocks too old to change. Raises RangeTooLargeError."""
    logs = node.logs(numbers[0], numbers[-1], addresses)
    timestamps = {log.block_number: log.timestamp for log in logs if log.timestamp is not None}
    silent = sorted({log.block_number for log in logs} - timestamps.keys())
    *others, tip = _all_there(node, [*silent, numbers[-1]])
    hashes = {header.number: header.hash for header in (*others, tip)}
    if any(hashes.get(log.block_number, log.block_hash) != log.block_hash for log in logs):
        raise IncompleteAnswerError(f"{node.name} gave logs of blocks that are not in its chain.")
    for header in (*others, tip):
        timestamps[header.number] = header.timestamp
    return Segment(numbers[0], tip, (tip,), tuple(logs), timestamps)


def _all_there(node: Node, numbers: Iterable[int]) -> list[Header]:
    headers = [header for header in node.headers(numbers) if header is not None]
    if len(headers) != len(list(numbers)):
        raise IncompleteAnswerError(f"{node.name} does not have a block below its own head.")
    return headers
