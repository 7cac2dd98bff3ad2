"""What the workers tell of themselves, for the health page: one Redis hash, one field per worker."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass

import redis

from executions.connections import redis_client

KEY = "agentnexus:executions:workers"
EVERY_SECONDS = 5.0
# A worker not heard of for this long is gone.
STALE_SECONDS = 30.0
FORGET_SECONDS = 24 * 3600.0
# Set by a task that is scheduled every ten seconds.
SCHEDULED_KEY = "agentnexus:executions:scheduled"
SCHEDULED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Beat:
    """A worker's own account. `at` is in seconds since 1970 by the clock of Redis, for those of machines differ;
    `engine` says what it runs on, or why it cannot."""

    worker: str
    at: float
    engine_ok: bool
    engine: str
    running: int


def beat(worker: str, *, engine_ok: bool, engine: str, running: int) -> None:
    """Tell that `worker` lives. Raises redis.RedisError."""
    redis_client().hset(KEY, worker, json.dumps(asdict(Beat(worker, _now(), engine_ok, engine, running))))


def beats() -> list[Beat]:
    """What the living workers said last; those long gone are dropped. Raises redis.RedisError."""
    found, now = [Beat(**json.loads(raw)) for raw in redis_client().hvals(KEY)], _now()
    old = [one.worker for one in found if now - one.at > FORGET_SECONDS]
    if old:
        redis_client().hdel(KEY, *old)
    return [one for one in found if now - one.at < STALE_SECONDS]


def _now() -> float:
    seconds, microseconds = redis_client().time()
    return float(seconds + microseconds / 1_000_000)


def scheduled() -> None:
    """Tell that scheduled tasks run; nobody listens while Redis is away."""
    with suppress(redis.RedisError):
        redis_client().set(SCHEDULED_KEY, 1, ex=SCHEDULED_SECONDS)


def schedule_runs() -> bool:
    """Whether a scheduled task has run within SCHEDULED_SECONDS. Raises redis.RedisError."""
    return bool(redis_client().exists(SCHEDULED_KEY))


def farewell(worker: str) -> None:
    """The worker is going down in order. Raises redis.RedisError."""
    redis_client().hdel(KEY, worker)
