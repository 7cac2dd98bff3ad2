"""Lines in Redis while the execution runs. The entry id is the line's number, so reading after a line is a range."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any
from uuid import UUID

import redis
from redis.commands.core import Script

from executions.connections import redis_client
from executions.logs.lines import Line

# A stream nobody archived is dropped by Redis itself after this long.
LIFETIME_SECONDS = 24 * 3600
# Viewers page through the stream for a while after the archive exists.
LINGER_SECONDS = 300

# KEYS: stream, attempt. ARGV: attempt, lifetime, then number and packed line by turns.
# One script, so that the fence, the order and "no gap" hold against every other writer at once. A line that is already
# there is skipped: a batch may be sent again after a lost answer.
_APPEND = """
local attempt = tonumber(ARGV[1])
local known = tonumber(redis.call('GET', KEYS[2]) or '0')
if known > attempt then return -1 end
local last = 0
local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if tail[1] then last = tonumber(string.match(tail[1][1], '^(%d+)')) end
if tonumber(ARGV[3]) > last + 1 then return last end
for i = 3, #ARGV, 2 do
  local seq = tonumber(ARGV[i])
  if seq > last then
    redis.call('XADD', KEYS[1], seq .. '-0', 'l', ARGV[i + 1])
    last = seq
  end
end
redis.call('SET', KEYS[2], attempt, 'EX', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return last
"""
_script = Script(redis.Redis(), _APPEND)
BATCH = 500


class Refused(IntEnum):
    """What `append` answers instead of the last number."""

    FENCED = -1


def append(execution_id: UUID, attempt: int, lines: Sequence[Line]) -> int:
    """Add `lines` (consecutive numbers) to the stream.

    Returns the number of the last line there. Smaller than the last of `lines`: what lies between was lost with the
    store's memory, and nothing was added. Refused.FENCED: a later attempt writes by now. Raises redis.RedisError.
    """
    last = 0
    for start in range(0, len(lines), BATCH):
        batch = lines[start : start + BATCH]
        arguments: list[int | bytes] = [attempt, LIFETIME_SECONDS]
        for line in batch:
            arguments += [line.seq, line.packed()]
        last = int(
            _script(keys=[_key(execution_id), _attempt_key(execution_id)], args=arguments, client=redis_client())
        )
        if last < batch[-1].seq:
            return last
    return last


def fence(execution_id: UUID, attempt: int) -> int:
    """Refuse lines of earlier attempts from now on; returns the number of the last line that got in."""
    redis_client().set(_attempt_key(execution_id), attempt, ex=LIFETIME_SECONDS)
    return last_seq(execution_id)


def last_seq(execution_id: UUID) -> int:
    """The number of the last line in the stream; 0 when there is none."""
    tail: Any = redis_client().xrevrange(_key(execution_id), count=1)
    return int(tail[0][0].partition(b"-")[0]) if tail else 0


def lines_after(execution_id: UUID, after: int, limit: int) -> list[Line]:
    """At most `limit` lines with numbers above `after`. Raises redis.RedisError."""
    entries: Any = redis_client().xrange(_key(execution_id), min=f"{after + 1}-0", count=limit)
    return [Line.unpacked(fields[b"l"]) for _, fields in entries]


def expire(execution_id: UUID) -> None:
    """The archive has everything: let Redis drop the stream soon."""
    client = redis_client()
    client.expire(_key(execution_id), LINGER_SECONDS)
    client.expire(_attempt_key(execution_id), LINGER_SECONDS)


def delete(execution_id: UUID) -> None:
    redis_client().delete(_key(execution_id), _attempt_key(execution_id))


def _key(execution_id: UUID) -> str:
    return f"agentnexus:log:{execution_id}"


def _attempt_key(execution_id: UUID) -> str:
    return f"agentnexus:log:{execution_id}:attempt"
