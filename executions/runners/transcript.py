"""What an agent writes: bytes in, numbered-to-be lines and one result out, within budgets.

Secrets are blacked out in both. The result is the last line of standard output that is a JSON document. A line that
could be the result is held back until a later one takes its place, so that every other line, and only those, is log.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from executions.documents import looks_like_document, parse
from executions.limits import Limits
from executions.runners.redaction import Redactor

STDOUT, STDERR = "stdout", "stderr"


@dataclass(slots=True)
class _Buffer:
    """The unfinished last line of a stream."""

    rest: bytearray = field(default_factory=bytearray)
    dropped: int = 0  # bytes of this line beyond what is kept


class Transcript:
    """Feed it chunks of either stream; it calls `line(source, text, at)` and `event(text)`.

    `overflow` is a sentence once the agent wrote more than a run may; the run must end then.
    """

    def __init__(
        self,
        limits: Limits,
        line: Callable[[str, str, float], None],
        event: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        redact: Redactor | None = None,
    ) -> None:
        self._redact = redact or Redactor({})
        self._limits = limits
        self._line = line
        self._event = event
        self._clock = clock
        self._buffers = {STDOUT: _Buffer(), STDERR: _Buffer()}
        self._candidate: tuple[bytes, float] | None = None
        self._received = self._lines = self._kept = self._count = 0
        self._truncated = False
        self.overflow: str | None = None

    def feed(self, source: str, data: bytes) -> None:
        """Take a chunk: any part of a line or many lines."""
        if self.overflow is not None:
            return
        self._received += len(data)
        buffer = self._buffers[source]
        *complete, rest = data.split(b"\n")
        self._lines += len(complete)
        for index, part in enumerate(complete):
            self._add(source, buffer, part)
            self._finish(source, buffer)
            if self._truncated:
                self._skim(source, complete[index + 1 :])
                break
        self._add(source, buffer, rest)
        if self._received > self._limits.written:
            self.overflow = f"The agent wrote more than {_megabytes(self._limits.written)}."
        elif self._lines > self._limits.written_lines:
            self.overflow = f"The agent wrote more than {self._limits.written_lines:,} lines."

    def close(self) -> bytes | None:
        """No more will come. Returns the result's line, None when there is none."""
        for source, buffer in self._buffers.items():
            if buffer.rest or buffer.dropped:
                self._finish(source, buffer, ended=False)
        return self._redact(self._candidate[0]) if self._candidate else None

    def _skim(self, source: str, complete: list[bytes]) -> None:
        """Whole lines that are not logged any more: only the last document among them matters. A flood of short lines
        would otherwise cost the worker more than the agent."""
        if source == STDOUT:
            last = next((part for part in reversed(complete) if _is_document(part)), None)
            self._candidate = (last, self._clock()) if last is not None else self._candidate

    def _add(self, source: str, buffer: _Buffer, part: bytes) -> None:
        room = (self._limits.output if source == STDOUT else self._limits.log_line + self._redact.margin) - len(
            buffer.rest
        )
        buffer.rest += part[: max(room, 0)]
        buffer.dropped += max(len(part) - max(room, 0), 0)
        if buffer.dropped and source == STDOUT and self.overflow is None:
            self.overflow = f"The agent wrote a line of more than {_megabytes(self._limits.output)} to its output."

    def _finish(self, source: str, buffer: _Buffer, *, ended: bool = True) -> None:
        """The line is over, or, unless it has `ended`, all there will be of it."""
        raw, dropped = bytes(buffer.rest), buffer.dropped
        buffer.rest.clear()
        buffer.dropped = 0
        now = self._clock()
        if source == STDOUT and not dropped and _is_document(raw):
            previous, self._candidate = self._candidate, (raw, now)
            if previous is not None:
                self._log(STDOUT, previous[0], 0, previous[1])
            return
        self._log(source, raw, dropped, now, open_end=bool(dropped) or not ended)

    def _log(self, source: str, raw: bytes, dropped: int, at: float, *, open_end: bool = False) -> None:
        limits = self._limits
        if self._truncated:
            return
        raw = self._redact(raw, cut=open_end)
        shown = raw[: limits.log_line]
        cut = dropped + len(raw) - len(shown)
        if self._kept + len(shown) > limits.log or self._count >= limits.log_lines:
            self._truncated = True
            self._event(
                f"The log ends here: more than {_megabytes(limits.log)} or {limits.log_lines:,} lines were written. "
                "The run goes on."
            )
            return
        self._kept += len(shown)
        self._count += 1
        text = shown.decode("utf-8", "replace").removesuffix("\r")
        self._line(source, f"{text} … ({cut:,} more bytes)" if cut else text, at)


def _is_document(raw: bytes) -> bool:
    if not looks_like_document(raw):
        return False
    try:
        parse(raw)
    except ValueError:
        return False
    return True


def _megabytes(size: int) -> str:
    return f"{size / 1_048_576:,.3g} MiB" if size >= 1_048_576 else f"{size:,} bytes"
