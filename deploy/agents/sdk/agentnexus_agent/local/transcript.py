"""What an agent writes, as the platform reads it: the last line of stdout that is a JSON document is the result, every
other line is log."""

import json
import math
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from agentnexus_agent.local.limits import DEPTH, Limits

STDOUT, STDERR = "stdout", "stderr"
KEPT = 1024 * 1024  # bytes of an unfinished line
_FIRST = frozenset(b'{["-0123456789tfn')


class Transcript:
    """Feed it chunks of both streams from any thread. It calls `line` with each line of the log, as bytes without its
    end, and `enough` once when the agent has written more than a run may; `overflow` is a sentence then."""

    def __init__(self, limits: Limits, line: Callable[[bytes], None], enough: Callable[[], None]) -> None:
        self._limits, self._line, self._enough = limits, line, enough
        self._lock = threading.Lock()
        self._rest = {STDOUT: b"", STDERR: b""}
        self._candidate: bytes | None = None
        self._bytes = self._lines = 0
        self.overflow = ""

    def feed(self, source: str, data: bytes) -> None:
        """Take a chunk: any part of a line, or many lines."""
        with self._lock:
            if self.overflow:
                return
            self._bytes += len(data)
            *complete, self._rest[source] = (self._rest[source] + data).split(b"\n")
            self._lines += len(complete)
            longest = max(map(len, [*complete, self._rest[source]]))
            self._rest[source] = self._rest[source][:KEPT]
            for raw in complete:
                self._finish(source, raw)
            if source == STDOUT and longest > self._limits.output:
                self._overflow(f"The agent wrote a line of more than {_mebibytes(self._limits.output)} to its output.")
            elif self._bytes > self._limits.written:
                self._overflow(f"The agent wrote more than {_mebibytes(self._limits.written)}.")
            elif self._lines > self._limits.written_lines:
                self._overflow(f"The agent wrote more than {self._limits.written_lines:,} lines.")

    def close(self) -> bytes | None:
        """No more will come. The result's line, None when there is none."""
        with self._lock:
            for source, raw in self._rest.items():
                if raw and not self.overflow:
                    self._finish(source, raw)
            self._rest = {STDOUT: b"", STDERR: b""}
            return self._candidate

    def _finish(self, source: str, raw: bytes) -> None:
        if source == STDERR or not is_document(raw):
            self._line(raw)
            return
        # Held back until a later one takes its place.
        if self._candidate is not None:
            self._line(self._candidate)
        self._candidate = raw

    def _overflow(self, sentence: str) -> None:
        self.overflow = sentence
        self._enough()


def is_document(raw: bytes) -> bool:
    """Whether a line is a JSON document that the platform takes."""
    start = raw.lstrip()
    if not start or start[0] not in _FIRST:
        return False
    try:
        return fits(json.loads(raw, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return False


def fits(value: Any) -> bool:
    """Whether the platform can keep the document: finite numbers, whole characters, at most DEPTH levels."""
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > DEPTH or (isinstance(item, float) and not math.isfinite(item)):
            return False
        if isinstance(item, str) and not _is_text(item):
            return False
        if isinstance(item, dict):
            if not all(map(_is_text, item)):
                return False
            pending.extend((member, depth + 1) for member in item.values())
        elif isinstance(item, list):
            pending.extend((member, depth + 1) for member in item)
    return True


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _mebibytes(size: int) -> str:
    return f"{size / 1_048_576:,.3g} MiB"
