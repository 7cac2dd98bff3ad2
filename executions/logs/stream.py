"""Lines in Redis while the execution runs, in batches: an entry's id is the number of its last line, so reading after a
line is a range, and a busy log costs a handful of entries a second."""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any
from uuid import UUID

import redis
from redis.commands.core import Script

from executions.connections import redis_client
from executions.logs.lines import Line, pack, unpack

# A stream nobody archived is dropped by Redis itself after this long.
LIFETIME_SECONDS = 24 * 3600
# Viewers page through the stream for a while after the archive exists.
LINGER_SECONDS = 300
# Of a run that ended as it should, this long after: a worker whose clock stood still for longer is not waited for.
SEALED_SECONDS = 3600
# Stands for the attempt after which no line gets in: more than any execution has.
_SEALED = 2**31

# KEYS: stream, attempt. ARGV: attempt, lifetime, numbers of the first and the last line, the packed lines.
# One script, so that the fence, the order and "no gap" hold against every other writer at once. What does not follow
# the last line there is not added: the caller sees by the answer what to send.
_APPEND = """
local known = tonumber(redis.call('GET', KEYS[2]) or '0')
if known > tonumber(ARGV[1]) then return -1 end
local last = 0
local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if tail[1] then last = tonumber(string.match(tail[1][1], '^(%d+)')) end
if tonumber(ARGV[3]) ~= last + 1 then return last end
redis.call('XADD', KEYS[1], ARGV[4] .. '-0', 'l', ARGV[5])
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return tonumber(ARGV[4])
"""
# KEYS: stream. ARGV: the number after which, how many lines at most, and how many bytes are enough. The id of the last
# entry comes first.
_READ = """
local tail = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if not tail[1] then return {'0-0'} end
local entries, size, after, most = {tail[1][1]}, 0, tonumber(ARGV[1]), tonumber(ARGV[1]) + tonumber(ARGV[2])
while true do
  local found = redis.call('XRANGE', KEYS[1], string.format('%d-0', after + 1), '+', 'COUNT', 32)
  for _, entry in ipairs(found) do
    after = tonumber(string.match(entry[1], '^(%d+)'))
    size = size + #entry[2][2]
    entries[#entries + 1] = entry[2][2]
    if after >= most or size >= tonumber(ARGV[3]) then return entries end
  end
  if #found < 32 then return entries end
end
"""
_append = Script(redis.Redis(), _APPEND)
_read = Script(redis.Redis(), _READ)
# Of one entry, and about of what is read at once.
BATCH_LINES = 500
BATCH_BYTES = 64 * 1024
READ_BYTES = 256 * 1024


class Refused(IntEnum):
    """What `append` answers instead of the last number."""

    FENCED = -1


def append(execution_id: UUID, attempt: int, lines: Sequence[Line]) -> int:
    """Add `lines` (consecutive numbers) to the stream; those that are there already are not added again.

    Returns the number of the last line there. Smaller than the last of `lines`: what lies between was lost with the
    store's memory, and nothing was added. Refused.FENCED: a later attempt writes by now. Raises redis.RedisError.
    """
    keys, client = [_key(execution_id), _attempt_key(execution_id)], redis_client()
    last = 0
    for batch in _batches(lines):
        first = batch[0].seq
        last = int(
            _append(keys=keys, args=[attempt, LIFETIME_SECONDS, first, batch[-1].seq, pack(batch)], client=client)
        )
        if first <= last < batch[-1].seq:  # a part of it came with an earlier call whose answer was lost
            return append(execution_id, attempt, lines[last + 1 - lines[0].seq :])
        if last < batch[-1].seq:
            return last
    return last


def _batches(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    start = size = 0
    for index, line in enumerate(lines):
        if index > start and (index - start == BATCH_LINES or size + len(line.text) > BATCH_BYTES):
            yield lines[start:index]
            start, size = index, 0
        size += len(line.text)
    if start < len(lines):
        yield lines[start:]


def fence(execution_id: UUID, attempt: int, seconds: int = LIFETIME_SECONDS) -> None:
    """Refuse lines of earlier attempts for so long from now on. Raises redis.RedisError."""
    redis_client().set(_attempt_key(execution_id), attempt, ex=seconds)


def last_seq(execution_id: UUID) -> int:
    """The number of the last line in the stream; 0 when there is none."""
    tail: Any = redis_client().xrevrange(_key(execution_id), count=1)
    return _number(tail[0][0]) if tail else 0


def page_after(execution_id: UUID, after: int, limit: int) -> tuple[list[Line], int]:
    """At most `limit` lines with numbers above `after`, fewer when they are long, and the number of the last line
    there is. Raises redis.RedisError."""
    tail, *entries = _read(keys=[_key(execution_id)], args=[after, limit, READ_BYTES], client=redis_client())
    if not entries:
        return [], _number(tail)
    lines = unpack(b"\n".join(entries))
    return lines[max(after + 1 - lines[0].seq, 0) :][:limit], _number(tail)


def lines_after(execution_id: UUID, after: int, limit: int) -> list[Line]:
    """The lines of `page_after`."""
    return page_after(execution_id, after, limit)[0]


def _number(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])


def seal(execution_id: UUID, seconds: int = LIFETIME_SECONDS) -> None:
    """Refuse every line for so long. A worker that only slept would bring back the lines it remembers, even deleted
    ones. Raises redis.RedisError."""
    fence(execution_id, _SEALED, seconds)


def expire(execution_id: UUID) -> None:
    """The archive has everything: let Redis drop the stream soon. Raises redis.RedisError."""
    seal(execution_id, SEALED_SECONDS)
    redis_client().expire(_key(execution_id), LINGER_SECONDS)


def delete(execution_id: UUID) -> None:
    """Drop the stream for ever. Raises redis.RedisError."""
    seal(execution_id)
    redis_client().delete(_key(execution_id))


def _key(execution_id: UUID) -> str:
    return f"agentnexus:log:{execution_id}"


def _attempt_key(execution_id: UUID) -> str:
    return f"agentnexus:log:{execution_id}:attempt"
