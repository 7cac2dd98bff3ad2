"""Tells open pages that a purchase changed."""

import redis
import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

log = structlog.get_logger(__name__)


def group_of(purchase_id: object) -> str:
    """The channel group of a purchase's listeners."""
    return f"purchase.{purchase_id}"


def announce(purchase_id: object) -> None:
    """After commit, have every socket of the purchase send it anew. Nothing is sent when the transaction fails."""
    transaction.on_commit(lambda: _send(group_of(purchase_id)))


def _send(group: str) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group, {"type": "purchase.changed"})
    except (redis.RedisError, OSError):
        # The row is right; pages that missed the message find it when they reconnect.
        log.exception("purchase_change_not_announced", group=group)
