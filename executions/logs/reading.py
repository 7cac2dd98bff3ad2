"""Reading a log from wherever it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis

from executions.logs import stream
from executions.logs.archive import archived_after
from executions.logs.lines import Line

MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines in order. `last_seq` is the number of the last one known when the page was read."""

    lines: tuple[Line, ...]
    last_seq: int

    def shown(self) -> list[dict[str, Any]]:
        return [line.shown() for line in self.lines]


def read(execution_id: UUID, after: int = 0, limit: int = MAX_PAGE) -> LogPage:
    """At most `limit` lines with numbers above `after`: from the stream, else from the archive.

    The archive is written before the stream is let go, so one of the two always has the lines.
    """
    live = live_page(execution_id, after, limit)
    if live.lines:
        return live
    found = archived_after(execution_id, after, limit)
    if found is None:
        return live
    lines, last = found
    return LogPage(tuple(lines), last)


def live_page(execution_id: UUID, after: int, limit: int) -> LogPage:
    """What the stream has; an empty page when Redis is away."""
    try:
        lines, last = stream.page_after(execution_id, after, limit)
    except redis.RedisError:
        return LogPage((), 0)
    return LogPage(tuple(lines), last)


def everything(execution_id: UUID) -> Iterator[Line]:
    """All lines there are now, page by page."""
    after = 0
    while (page := read(execution_id, after)).lines:
        yield from page.lines
        after = page.lines[-1].seq
