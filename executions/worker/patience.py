"""Waiting for a database that is being restarted: a result in memory is worth some seconds."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")
log = structlog.get_logger(__name__)
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)  # seconds; together less than a lease


def patiently(work: Callable[[], T]) -> T:
    """The result of `work`, tried again while the database does not answer. The last error is raised."""
    for pause in PAUSES:
        try:
            return work()
        except (OperationalError, InterfaceError) as exc:
            log.warning("database_away", error=type(exc).__name__, pause=pause)
            connection.close()
            time.sleep(pause)
    return work()
