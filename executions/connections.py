"""The Redis connection of this room: log streams, the workers' heartbeats, the queue's length."""

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

# A Redis that does not answer within this time counts as away; nothing here waits for it longer.
SOCKET_SECONDS = 3.0


@cache
def redis_client() -> redis.Redis:
    """The process's client; it pools connections and may be used from any thread."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        retry=Retry(NoBackoff(), 1),  # for a connection that went stale; whoever needs more patience has its own
        socket_timeout=SOCKET_SECONDS,
        socket_connect_timeout=SOCKET_SECONDS,
        health_check_interval=30,
    )
