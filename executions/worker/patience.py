"""Waiting for a database, or the storage for files, that is being restarted or replaced."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from marketplace.errors import StorageAwayError

T = TypeVar("T")
log = structlog.get_logger(__name__)
# Seconds; together less than a lease.
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
# A result that has been computed is worth more: while there is no database nobody takes the run away, and when there is
# one again its lease is renewed before this looks.
FOR_A_RESULT = (*PAUSES, *[8.0] * 70)


def patiently(work: Callable[[], T], pauses: Sequence[float] = PAUSES) -> T:
    """The result of `work`, tried again while the database or the storage for files does not answer. The last error is
    raised."""
    for pause in pauses:
        try:
            return work()
        except (OperationalError, InterfaceError) as exc:
            log.warning("database_away", error=type(exc).__name__, pause=pause)
            connection.close()
        except StorageAwayError:
            log.warning("storage_awaited", pause=pause)
        time.sleep(pause)
    return work()
