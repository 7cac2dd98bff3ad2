"""The record of an execution's connections: for the person who asked, and for staff."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from django.db import Error, connection

from executions.models import EgressRecord, Execution
from executions.runners.base import Connection, Verdict
from executions.worker.patience import patiently

log = structlog.get_logger(__name__)
# Connections written one by one; of those beyond, the last row tells the number and the bytes.
MOST = 1_000
# Lines about refused hosts in the log.
MOST_EVENTS = 20
# Characters; the name of a secret, which stands for it in a host's name, may be longer than it.
LONGEST_HOST = 255
# Connections of a run are written together this often while it goes on (seconds).
WRITE_EVERY = 1.0


class Record:
    """Writes down what the proxy reports while the run goes on, so that it is seen at once and outlives the worker;
    tells the log of every host that is refused for the first time."""

    def __init__(self, execution: Execution, event: Callable[[str], None]) -> None:
        self._execution = execution
        self._event = event
        self._changed = threading.Condition()
        self._told: set[tuple[str, int, Verdict]] = set()
        self._waiting: list[Connection] = []
        self._count = 0
        self._more: list[Connection] = []  # sums in one, at the time of the last
        self._more_count = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def add(self, seen: Connection) -> None:
        """Comes from the runner's thread, which does not wait for the database."""
        with self._changed:
            self._count += 1
            if self._count <= MOST:
                self._waiting.append(seen)
                self._write_soon()
            else:
                self._more_count += 1
                self._more = [_sum([*self._more, seen])]
            about = (seen.host, seen.port, seen.verdict)
            tell = about not in self._told and len(self._told) < MOST_EVENTS
            self._told |= {about} if tell else set()
        if tell:
            self._event(_sentence(seen))

    def close(self) -> None:
        """Write what is left. No more will come."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        rows = [self._row(seen) for seen in self._waiting]
        rows += [self._row(seen, EgressRecord.Verdict.MORE, self._more_count) for seen in self._more]
        try:
            if rows:
                patiently(lambda: EgressRecord.objects.bulk_create(rows))
        except Error as exc:  # the run has ended, and its result is worth more than its record
            log.error(
                "connections_lost", execution_id=str(self._execution.pk), error=type(exc).__name__, count=len(rows)
            )

    def _write_soon(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="egress-record", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _write_all(self) -> None:
        try:
            while self._write_some():
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, WRITE_EVERY)
        finally:
            connection.close()

    def _write_some(self) -> bool:
        """Write what waits, once something does; False when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or bool(self._waiting))
            if self._closing:
                return False
            taken = list(self._waiting)
        try:
            EgressRecord.objects.bulk_create([self._row(seen) for seen in taken])
        except Error as exc:  # they are written later, at the latest when the run ends
            log.warning("connections_not_written", execution_id=str(self._execution.pk), error=type(exc).__name__)
            connection.close()
            return True
        with self._changed:
            del self._waiting[: len(taken)]
        return True

    def _row(self, seen: Connection, verdict: EgressRecord.Verdict | None = None, count: int = 1) -> EgressRecord:
        return EgressRecord(
            execution=self._execution,
            attempt=self._execution.attempt,
            at=datetime.fromtimestamp(seen.at, UTC),
            host="" if verdict else seen.host[:LONGEST_HOST],
            port=0 if verdict else seen.port,
            sent=seen.sent,
            received=seen.received,
            verdict=verdict or seen.verdict.value,
            count=count,
        )


def _sum(some: list[Connection]) -> Connection:
    """One that stands for all."""
    return replace(some[-1], sent=sum(one.sent for one in some), received=sum(one.received for one in some))


def _sentence(connection: Connection) -> str:
    where = f"{connection.host}:{connection.port}"
    if connection.verdict == Verdict.REFUSED:
        return f"Refused: a connection to {where}"
    if connection.verdict == Verdict.FAILED:
        return f"A connection to {where} failed"
    return f"Connected to {where}"
