"""One line of a log, and how it is written down in each place."""

import json
from collections.abc import Iterable
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


def pack(lines: Iterable[Line]) -> bytes:
    """For the stream and the archive: an array a line."""
    return "\n".join([_encode([line.seq, line.at, line.stream.value, line.text]) for line in lines]).encode()


def unpack(packed: bytes) -> list[Line]:
    """The lines of `pack`, or of any of its lines in between."""
    members = json.loads(b"[%b]" % packed.replace(b"\n", b","))
    return [Line(seq, at, Stream(stream), text) for seq, at, stream, text in members]


_encode = json.JSONEncoder(separators=(",", ":")).encode
