"""The record of an execution's connections: for the person who asked, and for staff."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from executions.models import EgressRecord, Execution
from executions.runners.base import Connection, Verdict
from executions.worker.patience import patiently

# Connections written one by one; of those beyond, the last row tells the number and the bytes.
MOST = 1_000
# Lines about refused hosts in the log.
MOST_EVENTS = 20


class Record:
    """Collects what the proxy reports; tells the log of every host that is refused for the first time."""

    def __init__(self, event: Callable[[str], None]) -> None:
        self._event = event
        self._lock = threading.Lock()
        self._told: set[tuple[str, int, Verdict]] = set()
        self.kept: list[Connection] = []
        self.more = 0
        self.more_sent = self.more_received = 0

    def add(self, connection: Connection) -> None:
        """Comes from the runner's thread."""
        with self._lock:
            if len(self.kept) < MOST:
                self.kept.append(connection)
            else:
                self.more += 1
                self.more_sent += connection.sent
                self.more_received += connection.received
            about = (connection.host, connection.port, connection.verdict)
            tell = about not in self._told and len(self._told) < MOST_EVENTS
            self._told |= {about} if tell else set()
        if tell:
            self._event(_sentence(connection))


def keep(execution: Execution, record: Record) -> None:
    """Write the rows of this attempt."""
    rows = [
        EgressRecord(
            execution=execution,
            attempt=execution.attempt,
            at=datetime.fromtimestamp(one.at, UTC),
            host=one.host,
            port=one.port,
            sent=one.sent,
            received=one.received,
            verdict=one.verdict.value,
        )
        for one in record.kept
    ]
    if record.more:
        last = record.kept[-1]
        rows.append(
            EgressRecord(
                execution=execution,
                attempt=execution.attempt,
                at=datetime.fromtimestamp(last.at, UTC),
                host="",
                port=0,
                sent=record.more_sent,
                received=record.more_received,
                verdict=EgressRecord.Verdict.MORE,
                count=record.more,
            )
        )
    if rows:
        patiently(lambda: EgressRecord.objects.bulk_create(rows))


def _sentence(connection: Connection) -> str:
    where = f"{connection.host}:{connection.port}"
    if connection.verdict == Verdict.REFUSED:
        return f"Refused: a connection to {where}"
    if connection.verdict == Verdict.FAILED:
        return f"A connection to {where} failed"
    return f"Connected to {where}"
