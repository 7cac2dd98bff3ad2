"""The one who numbers and writes the lines of an attempt."""

import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self
from uuid import UUID

import redis
import structlog

from executions import notify
from executions.logs import stream
from executions.logs.lines import Line, Stream

log = structlog.get_logger(__name__)


class LogWriter:
    """Numbers lines as they come and writes them from a thread of its own, so that a slow Redis never stalls the agent.

    A batch leaves at once when none left within the last FLUSH_SECONDS, else that long after the one before. All lines,
    with those of `earlier` attempts, stay in memory (the log budget bounds them): they refill a Redis that lost its
    memory, and become the archive.
    """

    FLUSH_SECONDS = 0.05
    RETRY_SECONDS = 0.5
    CLOSE_SECONDS = 4.0

    def __init__(self, execution_id: UUID, attempt: int, earlier: Iterable[Line] = ()) -> None:
        self.execution_id = execution_id
        self.attempt = attempt
        self.lines = list(earlier)
        self.fenced = False
        self._written = len(self.lines)
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"log-{execution_id}", daemon=True)
        self._thread.start()

    def write(self, source: Stream, text: str, at: float | None = None) -> None:
        """Add a line. `at` is the time in seconds since 1970 it was seen; now when not given."""
        moment = int((time.time() if at is None else at) * 1000)
        with self._changed:
            self.lines.append(Line(len(self.lines) + 1, moment, source, text))
            self._changed.notify()

    def close(self) -> None:
        """Write what is left; gives up after CLOSE_SECONDS, for the archive gets the lines from memory."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(self.CLOSE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        give_up = None
        while True:
            with self._changed:
                while not self._closing and self._written == len(self.lines):
                    self._changed.wait()
                pending = self.lines[self._written :]
                if self._closing:
                    give_up = give_up or time.monotonic() + self.CLOSE_SECONDS
            if not pending or self.fenced or (give_up is not None and time.monotonic() > give_up):
                if self._closing or self.fenced:
                    return
                continue
            self._pause(self.FLUSH_SECONDS if self._flush(pending) else self.RETRY_SECONDS)

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)

    def _flush(self, pending: list[Line]) -> bool:
        try:
            last = stream.append(self.execution_id, self.attempt, pending)
            if last == stream.Refused.FENCED:
                self.fenced = True
                log.warning("log_writer_fenced", execution_id=str(self.execution_id), attempt=self.attempt)
                return False
            if last < pending[-1].seq:  # Redis forgot lines
                self._written = last
                return True
        except redis.RedisError as exc:
            log.warning("log_store_unreachable", execution_id=str(self.execution_id), error=type(exc).__name__)
            return False
        self._written = last
        notify.lines(self.execution_id, last)
        return True
