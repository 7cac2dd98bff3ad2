"""Giving up quotes that nobody paid.

A quote lapses by the chain's clock, not ours: when a block later than its end lies below the confirmations and has been
read, every deposit that could still be in time would have been read before. While the chain has not been read that far,
a quote whose time is over is `unknown`: asked for again at every sweep, and never guessed.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from chain.models import Block, Cursor
from chain.networks import Network, all_networks
from marketplace.purchases.models import Purchase
from marketplace.purchases.notices import announce
from marketplace.purchases.states import Happening, Status, sources

# How long after its end a quote may wait for the listener before the page says that we do not know.
PATIENCE = timedelta(minutes=2)
BATCH = 500


def lapse_stale(now: datetime | None = None) -> int:
    """Lapse or mark unknown what is due on every network; the number of purchases that changed."""
    now = now or timezone.now()
    changed = 0
    for network in all_networks():
        read_until = settled_time(network)
        if read_until is not None:
            changed += _move(network, Happening.LAPSE, Status.LAPSED, read_until, now)
        changed += _move(network, Happening.LOSE_SIGHT, Status.UNKNOWN, now - PATIENCE, now)
    return changed


def settled_time(network: Network) -> datetime | None:
    """The time of the newest block that was read and lies below the confirmations; None before there is one."""
    cursor = Cursor.objects.filter(network=network.slug).first()
    if cursor is None:
        return None
    settled = Block.objects.filter(network=network.slug, number__lte=cursor.block_number - network.confirmations)
    return settled.order_by("-number").values_list("timestamp", flat=True).first()


def _move(network: Network, happening: Happening, status: Status, before: datetime, now: datetime) -> int:
    moved = 0
    while True:
        with transaction.atomic():
            due = (
                Purchase.objects.select_for_update(skip_locked=True)
                .filter(network=network.slug, status__in=sources(happening), valid_until__lt=before)
                .order_by("valid_until")
            )
            # A row that is locked belongs to a deposit being read at this moment; the next sweep looks again.
            ids = list(due.values_list("pk", flat=True)[:BATCH])
            column = "lapsed_at" if status == Status.LAPSED else "unknown_at"
            Purchase.objects.filter(pk__in=ids).update(status=status, **{column: now})
            for purchase_id in ids:
                announce(purchase_id)
        moved += len(ids)
        if len(ids) < BATCH:
            return moved
