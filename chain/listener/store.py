"""Storing what was read: cursor, blocks, events and the effects of their handlers move in one transaction, or not.

The cursor's row lock orders everything that changes the events of a network. It is taken first, by compare-and-set when
the cursor moves: a listener that read from an outdated cursor changes zero rows and drops what it read.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from chain import events
from chain.artefacts import load
from chain.codec import LogDecodingError, checksum
from chain.listener.node import Header, Log
from chain.listener.reading import Segment
from chain.models import Block, Cursor, Event
from chain.networks import Network

logger = structlog.get_logger(__name__)

# Blocks remembered below the cursor: the deepest reorg that can be undone by itself. After reading by ranges only the
# end of each range is known, so some are kept however far they lie back.
KEEP_BLOCKS = 256
KEEP_AT_LEAST = 16


def advance(network: Network, cursor: Cursor, segment: Segment, head: int, sources: dict[bytes, str]) -> bool:
    """Store a segment that follows `cursor` and move the cursor to its end; False when the cursor had moved.

    `sources` maps a contract's address to its name.
    """
    tip = segment.tip
    with transaction.atomic():
        if not _compare_and_set(cursor, tip.number, tip.hash, head):
            return False
        Block.objects.bulk_create(Block(**_block(network, header)) for header in segment.headers)
        settled = tip.number - network.confirmations
        _store(network, segment, sources, settled)
        _confirm_older(network, settled, below=segment.first)
        _forget_old_blocks(network, tip.number)
    return True


def begin(network: Network, start: Header, head: int) -> Cursor:
    """The cursor at `start`, below our first contract; the one that is there when somebody else began."""
    with transaction.atomic():
        cursor, created = Cursor.objects.get_or_create(
            network=network.slug,
            defaults={"block_number": start.number, "block_hash": start.hash, "head_number": head},
        )
        if created:
            Block.objects.create(**_block(network, start))
    return cursor


def roll_back(network: Network, cursor: Cursor, ancestor: Block) -> bool:
    """Undo every event above `ancestor`, newest first, and move the cursor back to it; False when it had moved."""
    slug = network.slug
    with transaction.atomic():
        if not _compare_and_set(cursor, ancestor.number, ancestor.hash, cursor.head_number):
            return False
        undone = list(
            Event.objects.filter(network=slug, block_number__gt=ancestor.number)
            .exclude(status=Event.Status.REVERTED)
            .order_by("-block_number", "-log_index")
        )
        _revert(undone)
        Block.objects.filter(network=slug, number__gt=ancestor.number).delete()
    logger.warning(
        "chain_reorganised",
        network=slug,
        from_block=cursor.block_number,
        to_block=ancestor.number,
        depth=cursor.block_number - ancestor.number,
        events=len(undone),
    )
    return True


def reconcile(
    network: Network, segment: Segment, sources: dict[bytes, str], *, complete: bool
) -> tuple[int, int] | None:
    """Make the stored events of an already read stretch equal to `segment`: (added, undone), or None when the stretch
    changed in the meantime. Only a `complete` segment shows that a stored event is not on the chain."""
    slug = network.slug
    last = segment.tip.number
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update().filter(network=slug).first()
        if cursor is None or cursor.block_number < last:
            return None
        read = {header.number: header.hash for header in segment.headers}
        known = Block.objects.filter(network=slug, number__range=(segment.first, last)).values_list("number", "hash")
        if any(read.get(number, stored) != stored for number, stored in known):
            return None
        undone: list[Event] = []
        if complete:
            live = Event.objects.filter(network=slug, block_number__range=(segment.first, last))
            found = {(log.block_hash, log.log_index) for log in segment.logs}
            undone = [
                event
                for event in live.exclude(status=Event.Status.REVERTED).order_by("-block_number", "-log_index")
                if (event.block_hash, event.log_index) not in found
            ]
            _revert(undone)
        added = _store(network, segment, sources, cursor.block_number - network.confirmations)
    if added or undone:
        logger.error(
            "events_corrected", network=slug, from_block=segment.first, to_block=last, added=added, undone=len(undone)
        )
    return added, len(undone)


def _compare_and_set(cursor: Cursor, number: int, block_hash: str, head: int) -> bool:
    """Move the cursor if it still is where `cursor` says; its row stays locked until the transaction ends."""
    unmoved = Cursor.objects.filter(
        network=cursor.network, block_number=cursor.block_number, block_hash=cursor.block_hash
    )
    if not unmoved.select_for_update(skip_locked=True):
        return False  # another listener has moved it, or is doing so now: waiting for it would gain nothing
    moved = unmoved.update(block_number=number, block_hash=block_hash, head_number=head, updated_at=timezone.now())
    return moved == 1


def _store(network: Network, segment: Segment, sources: dict[bytes, str], settled: int) -> int:
    """Write the events that are not there yet, or were undone, and call their handlers; the number of these."""
    if not segment.logs:
        return 0
    stored = {
        (event.block_hash, event.log_index): event
        for event in Event.objects.filter(network=network.slug, block_number__range=(segment.first, segment.tip.number))
    }
    new: list[Event] = []
    back: list[Event] = []
    for log in segment.logs:
        known = stored.get((log.block_hash, log.log_index))
        if known is None:
            event = _event(network, log, segment.timestamps[log.block_number], sources)
            if event is not None:
                new.append(event)
        elif known.status == Event.Status.REVERTED:
            back.append(known)
    for event in (*new, *back):
        event.status = Event.Status.CONFIRMED if event.block_number <= settled else Event.Status.SEEN
    Event.objects.bulk_create(new, batch_size=2000)
    Event.objects.bulk_update(back, ["status"], batch_size=500)
    changed = sorted((*new, *back), key=lambda event: (event.block_number, event.log_index))
    _tell(changed, settled)
    return len(changed)


def _tell(changed: Sequence[Event], settled: int) -> None:
    """`seen` for all, in order, then `confirmed` for those deep enough already; each finds the status it expects."""
    for event in changed:
        event.status = Event.Status.SEEN
        events.dispatch("seen", event)
    for event in changed:
        if event.block_number <= settled:
            event.status = Event.Status.CONFIRMED
            events.dispatch("confirmed", event)


def _confirm_older(network: Network, settled: int, below: int) -> None:
    """Events stored earlier that now have their confirmations."""
    waiting = list(
        Event.objects.filter(
            network=network.slug, status=Event.Status.SEEN, block_number__lte=min(settled, below - 1)
        ).order_by("block_number", "log_index")
    )
    if not waiting:
        return
    Event.objects.filter(pk__in=[event.pk for event in waiting]).update(status=Event.Status.CONFIRMED)
    for event in waiting:
        event.status = Event.Status.CONFIRMED
        events.dispatch("confirmed", event)


def _revert(undone: Iterable[Event]) -> None:
    """Undo events in the given order. Their handlers still see the status that they had."""
    keys = []
    for event in undone:
        events.dispatch("reverted", event)
        keys.append(event.pk)
    Event.objects.filter(pk__in=keys).update(status=Event.Status.REVERTED)


def _event(network: Network, log: Log, timestamp: int, sources: dict[bytes, str]) -> Event | None:
    """The row of a log; None for one that its contract's ABI does not name."""
    contract = sources[log.address]
    try:
        decoded = load(contract).interface.decode_log(log.topics, log.data)
    except LogDecodingError as exc:
        # Our own contract cannot write this: the node made it up, or chain/abi is not what is deployed.
        logger.error(
            "log_not_decodable", network=network.slug, block=log.block_number, index=log.log_index, why=str(exc)
        )
        return None
    if decoded is None:
        logger.warning("log_of_unknown_event", network=network.slug, block=log.block_number, index=log.log_index)
        return None
    return Event(
        network=network.slug,
        block_number=log.block_number,
        block_hash=log.block_hash,
        block_time=_time(timestamp),
        transaction_hash=log.transaction_hash,
        log_index=log.log_index,
        address=checksum(log.address),
        contract=contract,
        name=decoded.name,
        args=decoded.args,
    )


def _block(network: Network, header: Header) -> dict[str, Any]:
    return {
        "network": network.slug,
        "number": header.number,
        "hash": header.hash,
        "parent_hash": header.parent_hash,
        "timestamp": _time(header.timestamp),
    }


def _forget_old_blocks(network: Network, tip: int) -> None:
    known = Block.objects.filter(network=network.slug)
    kept = known.order_by("-number").values_list("number", flat=True)[KEEP_AT_LEAST - 1 : KEEP_AT_LEAST].first()
    if kept is not None:
        known.filter(number__lte=tip - KEEP_BLOCKS, number__lt=kept).delete()


def _time(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
