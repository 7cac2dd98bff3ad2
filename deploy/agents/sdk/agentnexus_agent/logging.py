"""The log of a run: lines on stderr, written at once."""

import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

PROGRESS_INTERVAL = 0.2  # seconds between two progress lines


class Log:
    """Writes log lines that arrive whole, one `write` each, whatever the number of threads.

    Calling the object is enough: `log("read", 3, "rows")`.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.Lock()
        self._next_progress = float("-inf")

    def __call__(self, *values: object) -> None:
        """Write the values, separated by spaces, as one line."""
        self._write(" ".join(str(value) for value in values))

    def warning(self, *values: object) -> None:
        """Write a line that begins with `warning:`."""
        self("warning:", *values)

    def error(self, *values: object) -> None:
        """Write a line that begins with `error:`."""
        self("error:", *values)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Say how far a loop is, such as `[ 42%] 420/1,000 rows`.

        Call it on every turn: lines closer than 0.2 s to the one before are left out, except the last (done = total).
        """
        now = self._clock()
        finished = done >= total
        if not finished and now < self._next_progress:
            return
        # The line after a finished loop belongs to the next loop, so it must not be held back by this one.
        self._next_progress = float("-inf") if finished else now + PROGRESS_INTERVAL
        share = 1.0 if total <= 0 else min(max(done / total, 0.0), 1.0)
        self(f"[{int(share * 100):3d}%] {done:,}/{total:,} {text}".rstrip())

    def _write(self, line: str) -> None:
        stream = self._stream or sys.stderr
        # Lone surrogates, which a JSON input may carry, cannot be encoded: show them as escapes.
        text = line.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"
        with self._lock:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
            stream.flush()


log = Log()
