"""Attempt counters in Redis that fail closed: when they cannot be read, the guarded action is refused."""

from dataclasses import dataclass

import redis
from django_redis import get_redis_connection

from wallets.errors import RateUnavailableError


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` hits of one key in each window of `seconds`."""

    name: str
    limit: int
    seconds: int

    def hit(self, key: str) -> int:
        """Count one attempt. Returns 0 when it is allowed, else the seconds until the window ends.

        Raises RateUnavailableError when Redis does not answer.
        """
        counter = f"agentnexus:rate:{self.name}:{key}"
        try:
            with get_redis_connection("default").pipeline(transaction=True) as pipe:
                # The window is set with the first hit only; in one transaction, so that no counter lives for ever.
                pipe.set(counter, 0, ex=self.seconds, nx=True)
                pipe.incr(counter)
                pipe.ttl(counter)
                _, count, remaining = pipe.execute()
        except redis.RedisError as exc:
            raise RateUnavailableError from exc
        return 0 if count <= self.limit else max(1, int(remaining))
