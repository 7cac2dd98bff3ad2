"""Tells open sockets that the sign-in they were opened with has ended."""

from hashlib import sha256

import redis
import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from wallets.models import User

log = structlog.get_logger(__name__)


def session_name(session_key: str) -> str:
    """How messages name a browser session; its key itself never leaves the session store."""
    return f"session:{sha256(session_key.encode()).hexdigest()}"


def family_name(family_id: object) -> str:
    """How messages name a family of tokens."""
    return f"tokens:{family_id}"


def group_of(user: User) -> str:
    """The channel group of all sockets of a user."""
    return f"user.{user.pk}"


def announce_end(user: User, name: str | None = None) -> None:
    """After commit, close the sockets of one sign-in of the user, or all of them when `name` is None."""
    transaction.on_commit(lambda: _send(group_of(user), name))


def _send(group: str, name: str | None) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(group, {"type": "session.ended", "name": name})
    except (redis.RedisError, OSError):
        # New requests are refused already; only sockets that were open stay until they reconnect.
        log.exception("session_end_not_announced", group=group)
