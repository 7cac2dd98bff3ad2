"""The whole log of an ended execution in one row: packed lines, compressed."""

import time
import zlib
from collections.abc import Sequence
from uuid import UUID

import redis
import structlog

from executions.logs import stream
from executions.logs.lines import Line, Stream, pack, unpack
from executions.models import LogArchive

log = structlog.get_logger(__name__)
PAGE = 5_000
LOST = "(This line was lost when the log store restarted.)"
# Reading a log decompresses at most this much (bytes); the writer's budgets keep every log far below.
MAX_BYTES = 256 * 1024 * 1024
PIECE_BYTES = 256 * 1024


def archive(execution_id: UUID, lines: Sequence[Line]) -> int:
    """Write the archive; returns the number of lines. The first one written stays."""
    LogArchive.objects.bulk_create(
        [LogArchive(execution_id=execution_id, lines=_compressed(lines), line_count=len(lines))],
        ignore_conflicts=True,
    )
    return len(lines)


def _compressed(lines: Sequence[Line]) -> bytes:
    """A page at a time, for a worker has several logs in memory."""
    compressor = zlib.compressobj(level=6)
    parts = []
    for start in range(0, len(lines), PAGE):
        separator = b"\n" if start else b""
        parts.append(compressor.compress(separator + pack(lines[start : start + PAGE])))
    return b"".join([*parts, compressor.flush()])


def archived_after(execution_id: UUID, after: int, limit: int) -> tuple[list[Line], int] | None:
    """At most `limit` lines with numbers above `after`, and the last number; None when there is no archive."""
    row = LogArchive.objects.filter(execution_id=execution_id).values_list("lines", "line_count").first()
    if row is None:
        return None
    packed, count = row
    return unpack(b"\n".join(_cut_out(bytes(packed), after, limit))), count


def _cut_out(packed: bytes, after: int, limit: int) -> list[bytes]:
    """The packed lines with numbers from `after` + 1 on, with no more of the log in memory than a piece and these.
    Numbers begin at 1 and have no gap, so a line's place is known without looking into those before it."""
    found: list[bytes] = []
    source, number, rest = zlib.decompressobj(), 1, b""
    for _ in range(MAX_BYTES // PIECE_BYTES):
        piece = source.decompress(source.unconsumed_tail or packed, PIECE_BYTES)
        *whole, rest = (rest + piece).split(b"\n")
        found += whole[max(after + 1 - number, 0) :][: limit - len(found)]
        number += len(whole)
        if len(found) == limit:
            return found
        if source.eof or not piece:
            break
    return [*found, rest] if number > after else found


def collect(execution_id: UUID) -> list[Line]:
    """Every line now in the stream. Raises redis.RedisError."""
    lines: list[Line] = []
    while page := stream.lines_after(execution_id, lines[-1].seq if lines else 0, PAGE):
        lines += page
    return lines


def collect_sealed(execution_id: UUID) -> list[Line]:
    """Every line there will ever be in the stream. Raises redis.RedisError."""
    stream.seal(execution_id)
    return collect(execution_id)


def earlier(execution_id: UUID, attempt: int, last_seq: int) -> list[Line]:
    """The lines of the attempts before `attempt`, which get no more in from now on.

    `last_seq` is the highest number known to have been given. Lines that Redis lost meanwhile are replaced by a mark,
    for a number must never be missing.
    """
    if attempt <= 1:
        return []
    lines: list[Line] = []
    try:
        stream.fence(execution_id, attempt)
        lines = collect(execution_id)
    except redis.RedisError as exc:
        log.warning("earlier_log_lost", execution_id=str(execution_id), error=type(exc).__name__)
    known = {line.seq: line for line in lines}
    now = int(time.time() * 1000)
    return [known.get(seq) or Line(seq, now, Stream.EVENT, LOST) for seq in range(1, max([last_seq, *known]) + 1)]


def forget(execution_id: UUID) -> None:
    """Let the stream go once the transaction that wrote the archive is through; Redis may be away."""
    try:
        stream.expire(execution_id)
    except redis.RedisError as exc:
        log.warning("log_stream_not_expired", execution_id=str(execution_id), error=type(exc).__name__)
