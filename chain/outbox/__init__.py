"""Transactions of the platform itself: written down first, then sent, and followed until they are final."""

from chain.outbox.queue import enqueue
from chain.outbox.sender import Sender

__all__ = ["Sender", "enqueue"]
