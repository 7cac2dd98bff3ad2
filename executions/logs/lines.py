"""One line of a log, and how it is written down in each place."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from executions.logs.text import neutralise


class Stream(StrEnum):
    """Where a line comes from; `event` lines are the platform's own."""

    STDOUT = "stdout"
    STDERR = "stderr"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the agent wrote it. `at` is milliseconds since 1970."""

    seq: int
    at: int
    stream: Stream
    text: str

    def shown(self) -> dict[str, Any]:
        """For people and programs: control characters neutralised, time as ISO 8601."""
        time = datetime.fromtimestamp(self.at / 1000, UTC)
        return {
            "seq": self.seq,
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "stream": self.stream.value,
            "text": neutralise(self.text),
        }

    def packed(self) -> bytes:
        """For the stream and the archive."""
        return json.dumps([self.seq, self.at, self.stream.value, self.text], separators=(",", ":")).encode()

    @classmethod
    def unpacked(cls, raw: bytes) -> "Line":
        seq, at, stream, text = json.loads(raw)
        return cls(seq, at, Stream(stream), text)
