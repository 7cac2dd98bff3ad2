"""Sending ids to the workers."""

from uuid import UUID

import redis
import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from executions.connections import redis_client

log = structlog.get_logger(__name__)
QUEUE = "executions"
TASK = "executions.tasks.run_execution"


def send(execution_id: UUID) -> bool:
    """Send the id to the workers. Call after commit. False when the broker is away: the sweep sends it again."""
    try:
        current_app.send_task(TASK, args=[str(execution_id)], queue=QUEUE, retry=False)
    except (OperationalError, redis.RedisError, OSError) as exc:
        log.warning("execution_not_sent", execution_id=str(execution_id), error=type(exc).__name__)
        return False
    return True


def length() -> int:
    """How many messages wait for a worker. Raises redis.RedisError."""
    return int(redis_client().llen(QUEUE))
