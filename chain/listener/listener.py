"""One listener of one network. Any number may run at a time, in any number of processes."""

from collections.abc import Callable, Sequence

import structlog

from chain.artefacts import ENTITLEMENTS, ESCROW
from chain.errors import ChainResetError, IncompleteAnswerError, NotDeployedError, RangeTooLargeError
from chain.listener import reading, store
from chain.listener.node import Header, Node
from chain.listener.reading import TIP_DEPTH, Segment
from chain.listener.windows import MANY_LOGS, Window
from chain.models import Block, Cursor, Deployment
from chain.networks import Network
from chain.rpc import Pool, pool_of
from chain.rpc.endpoint import Endpoint

logger = structlog.get_logger(__name__)

INDEXED_CONTRACTS = (ENTITLEMENTS, ESCROW)
RESCAN_BLOCKS = 64


class Listener:
    """Reads a network's blocks in order and stores the events of our contracts."""

    def __init__(self, network: Network, pool: Pool | None = None) -> None:
        self.network = network
        self.pool = pool or pool_of(network)
        self._window = Window()

    def step(self) -> int:
        """One poll: read the next stretch of blocks, or undo blocks that are no longer on the chain.

        The number of blocks that were read or undone; 0 when there was nothing to do.

        Raises NotDeployedError, ChainResetError (the node's chain is not the one we know), RpcUnavailableError and its
        kin (nothing was changed; try again), and whatever a handler raises (nothing was changed either).
        """
        return self.pool.run(lambda endpoint: self._step(Node(endpoint)))

    def rescan(self, blocks: int = RESCAN_BLOCKS) -> tuple[int, int]:
        """Read the last blocks once more and correct what is stored: (events added, events undone).

        A node may have answered from an index that was not filled yet.
        """
        cursor = Cursor.objects.filter(network=self.network.slug).first()
        if cursor is None:
            return 0, 0
        first = max(self._start() + 1, cursor.block_number - blocks + 1)
        return self.reindex(first, cursor.block_number, singly=True)

    def backfill(self, blocks: int) -> tuple[int, int]:
        """Read the last blocks, without the newest, once more by ranges and add what was missed."""
        cursor = Cursor.objects.filter(network=self.network.slug).first()
        if cursor is None:
            return 0, 0
        return self.reindex(max(self._start() + 1, cursor.block_number - blocks), cursor.block_number - RESCAN_BLOCKS)

    def reindex(
        self, first: int, last: int, *, singly: bool = False, progress: Callable[[int], None] | None = None
    ) -> tuple[int, int]:
        """Read `first`..`last` again, both included and not above the cursor: (events added, events undone).

        `singly` reads each block by itself, which also finds stored events that are not on the chain.
        """
        added = undone = 0
        number = first
        while number <= last:
            if singly:
                end = min(last, number + TIP_DEPTH - 1)
                segment = self.pool.run(lambda endpoint: self._read_again(endpoint, range(number, end + 1)))  # noqa: B023
            else:
                segment = self.pool.run(lambda endpoint: self._read_again_by_range(endpoint, number, last))  # noqa: B023
            corrected = store.reconcile(self.network, segment, self._sources(), complete=singly)
            if corrected is None:
                break  # the chain changed above `number`; the next steps read it anew anyway
            added, undone = added + corrected[0], undone + corrected[1]
            number = segment.tip.number + 1
            if progress is not None:
                progress(segment.tip.number)
        return added, undone

    # ------------------------------------------------------------------ one step

    def _step(self, node: Node) -> int:
        sources = self._sources()
        head = node.head()
        cursor = self._cursor(node, head)
        if cursor is None or (head.number, head.hash) == (cursor.block_number, cursor.block_hash):
            return 0
        follows = head.number == cursor.block_number + 1 and head.parent_hash == cursor.block_hash
        if not follows and not self._on_chain(node, cursor, head):
            return self._go_back(node, cursor, head)
        if head.number <= cursor.block_number:
            return 0
        segment = self._read_on(node, cursor, head, [*map(_shown, sources)])
        if segment is None or not store.advance(self.network, cursor, segment, head.number, sources):
            return 0
        return segment.tip.number - segment.first + 1

    def _read_on(self, node: Node, cursor: Cursor, head: Header, addresses: Sequence[str]) -> Segment | None:
        first = cursor.block_number + 1
        if head.number == first and head.parent_hash == cursor.block_hash:
            return reading.read_blocks(node, [head], addresses)
        if head.number - first >= TIP_DEPTH:
            segment = self._read_range(node, first, head.number - TIP_DEPTH, addresses)
            if segment is not None:
                return segment
            return reading.read_singly(node, cursor.block_hash, range(first, first + 1), addresses)
        return reading.read_singly(node, cursor.block_hash, range(first, head.number + 1), addresses)

    def _read_range(self, node: Node, first: int, last: int, addresses: Sequence[str]) -> Segment | None:
        """As many blocks from `first` on as the node answers for at once and a transaction should hold; None when it
        refuses even one."""
        while True:
            end = min(last, first + self._window.size - 1)
            try:
                segment = reading.read_range(node, range(first, end + 1), addresses)
            except RangeTooLargeError:
                if self._window.size == 1:
                    return None
                self._window.refused(end - first + 1)
            else:
                self._window.answered(len(segment.logs))
                if len(segment.logs) <= 2 * MANY_LOGS or end == first:
                    return segment

    def _on_chain(self, node: Node, cursor: Cursor, head: Header) -> bool:
        """Whether the block that we read last is still part of the node's chain, as far as the node can tell."""
        if head.number < cursor.block_number:
            known = Block.objects.filter(network=self.network.slug, number=head.number).first()
            return known is not None and known.hash == head.hash  # then the node is only behind
        (block,) = node.headers([cursor.block_number])
        if block is None:
            raise IncompleteAnswerError(f"{node.name} does not have a block below its own head.")
        return block.hash == cursor.block_hash

    def _go_back(self, node: Node, cursor: Cursor, head: Header) -> int:
        """Undo to the newest block that the node's chain and ours have in common."""
        ancestor = self._ancestor(node, cursor, head)
        return cursor.block_number - ancestor.number if store.roll_back(self.network, cursor, ancestor) else 0

    def _ancestor(self, node: Node, cursor: Cursor, head: Header) -> Block:
        ours = Block.objects.filter(
            network=self.network.slug, number__lte=min(cursor.block_number, head.number)
        ).order_by("-number")
        above: Header | None = None
        # A few at first, as most reorgs are short. No server-side cursor: one that is left open half read can lock its
        # connection up when it is collected.
        start, end = 0, 8
        while chunk := list(ours[start:end]):
            headers = node.headers([block.number for block in chunk])
            for block, header in zip(chunk, headers, strict=True):
                if header is None:
                    raise IncompleteAnswerError(f"{node.name} does not have a block below its own head.")
                if header.hash == block.hash:
                    self._check_ancestor(node, cursor, block, above)
                    return block
                above = header
            start, end = end, end + 64
        raise ChainResetError(self._reset_sentence(cursor, head))

    def _check_ancestor(self, node: Node, cursor: Cursor, block: Block, above: Header | None) -> None:
        """Before anything is undone the node must have told the same twice, and a chain that hangs together."""
        if block.number == cursor.block_number:
            raise IncompleteAnswerError(f"{node.name} contradicts itself on block {block.number}.")
        if above is not None and above.number == block.number + 1 and above.parent_hash != block.hash:
            raise IncompleteAnswerError(f"{node.name} gave blocks that do not follow each other.")

    def _reset_sentence(self, cursor: Cursor, head: Header) -> str:
        found = (
            f"The chain behind {self.network.slug!r} is not the one that this database was filled from: we read up "
            f"to block {cursor.block_number}, and the node, at block {head.number}, knows none of our last blocks. "
        )
        if self.network.is_local:
            return found + (
                f"If the local chain was wiped, run: manage.py deploy_contracts {self.network.slug} "
                "(it forgets the old chain and deploys anew)."
            )
        return found + "Check the RPC URL. The listener goes on by itself once the right chain answers."

    # ------------------------------------------------------------------ where we are

    def _cursor(self, node: Node, head: Header) -> Cursor | None:
        """The cursor; made on the first run, just below the oldest deployment."""
        cursor = Cursor.objects.filter(network=self.network.slug).first()
        if cursor is not None:
            return cursor
        start = self._start()
        if head.number < start:
            raise IncompleteAnswerError(f"{node.name} is at block {head.number}, below our contracts.")
        (block,) = node.headers([start])
        if block is None:
            raise IncompleteAnswerError(f"{node.name} does not have a block below its own head.")
        return store.begin(self.network, block, head.number)

    def _start(self) -> int:
        """The block below the oldest of our contracts. Raises NotDeployedError."""
        numbers = Deployment.objects.filter(network=self.network.slug, contract__in=INDEXED_CONTRACTS).values_list(
            "block_number", flat=True
        )
        if not numbers:
            raise self._not_deployed()
        return max(0, min(numbers) - 1)

    def _sources(self) -> dict[bytes, str]:
        """Whose logs we read: address to name of contract. Raises NotDeployedError."""
        rows = Deployment.objects.filter(network=self.network.slug, contract__in=INDEXED_CONTRACTS)
        sources = {bytes.fromhex(row.address[2:]): row.contract for row in rows}
        if len(sources) != len(INDEXED_CONTRACTS):  # a deployment that is under way is not read half
            raise self._not_deployed()
        return sources

    def _not_deployed(self) -> NotDeployedError:
        return NotDeployedError(
            f"The contracts are not deployed on {self.network.name} yet. "
            f"Run: manage.py deploy_contracts {self.network.slug}"
        )

    # ------------------------------------------------------------------ reading again

    def _read_again(self, endpoint: Endpoint, numbers: range) -> Segment:
        segment = reading.read_singly(Node(endpoint), None, numbers, [*map(_shown, self._sources())])
        if segment is None:
            raise IncompleteAnswerError(f"{endpoint.name} does not have block {numbers[0]}.")
        return segment

    def _read_again_by_range(self, endpoint: Endpoint, first: int, last: int) -> Segment:
        segment = self._read_range(Node(endpoint), first, last, [*map(_shown, self._sources())])
        return segment or self._read_again(endpoint, range(first, first + 1))


def _shown(address: bytes) -> str:
    return "0x" + address.hex()
