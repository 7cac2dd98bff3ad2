"""Waking the workers. A message carries nothing: whoever gets it asks the database what to run next.

It may be lost, come twice, or reach a node that can run nothing of what waits: every worker also looks by itself each
second while it has room.
"""

import redis
import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from executions.connections import redis_client

log = structlog.get_logger(__name__)
QUEUE = "executions"
TASK = "executions.tasks.run_next"
# A worker that is awake goes on until nothing is left for it; more messages than there are idle workers help nobody.
MOST_MESSAGES = 64


def of_node(node: str) -> str:
    """The queue that only workers of this node read."""
    return f"{QUEUE}.{node}"


def wake(queue: str = QUEUE) -> bool:
    """Wake a worker. Call after commit. False when the broker is away."""
    try:
        if length(queue) < MOST_MESSAGES:
            current_app.send_task(TASK, queue=queue, retry=False)
    except (OperationalError, redis.RedisError, OSError) as exc:
        log.warning("workers_not_woken", error=type(exc).__name__)
        return False
    return True


def length(queue: str = QUEUE) -> int:
    """How many messages wait for a worker. Raises redis.RedisError."""
    return int(redis_client().llen(queue))
