"""Whose turn is it? The one question that decides what a free worker runs next."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from executions import limits

# An execution whose image another node has waits this long for that node, rather than be pulled to this one.
WAIT_FOR_IMAGE = "2 seconds"
# One that yields to everybody yields no longer than this.
YIELD_AT_MOST = "10 minutes"
# One that has waited this long for its memory, and is next, gets what becomes free.
HOLD_AFTER = "1 minute"
# Any number: it names the lock under which workers choose.
_LOCK = 0x616E78

# Of each person's waiting executions that this node can run, the first by their own priorities; of these people, the
# one who has the fewest under way, and of several the one served longest ago. So a thousand executions of one person
# hold up another's single one by no more than one turn. People are found one after another in the index, so that the
# length of the queue costs nothing; CASE keeps the planner from taking a run that may be had for so rare that it had
# better read and sort all of a person's.
_NEXT = """
WITH RECURSIVE here AS (
  SELECT name, labels, images, memory_bytes, engine_ok FROM executions_node
  WHERE name = %(node)s AND state = 'ready'
), active AS MATERIALIZED (
  SELECT user_id, agent_id, node, memory_bytes FROM executions_execution WHERE status IN ('starting', 'running')
), of_user AS (
  SELECT user_id, count(*) AS n FROM active GROUP BY user_id
), of_agent AS (
  SELECT agent_id, count(*) AS n FROM active GROUP BY agent_id
), free AS (
  SELECT here.memory_bytes - coalesce((SELECT sum(memory_bytes) FROM active WHERE node = here.name), 0) AS bytes
  FROM here
), elsewhere AS MATERIALIZED (
  SELECT images FROM executions_node
  WHERE name <> %(node)s AND engine_ok AND state = 'ready'
    AND last_seen_at > statement_timestamp() - interval '30 seconds'
), person AS (
  (SELECT user_id FROM executions_execution WHERE status = 'queued' ORDER BY user_id LIMIT 1)
  UNION ALL
  SELECT (
    SELECT user_id FROM executions_execution
    WHERE status = 'queued' AND user_id > person.user_id ORDER BY user_id LIMIT 1
  ) FROM person WHERE user_id IS NOT NULL
)
SELECT head.id, head.room
FROM person
CROSS JOIN here CROSS JOIN free
LEFT JOIN of_user ON of_user.user_id = person.user_id
LEFT JOIN executions_turn turn ON turn.user_id = person.user_id
CROSS JOIN LATERAL (
  SELECT waiting.id, waiting.priority, waiting.queued_at, free.bytes - waiting.memory_bytes AS room
  FROM executions_execution waiting
  JOIN marketplace_agentversion version ON version.id = waiting.version_id
  LEFT JOIN executions_agentquota quota ON quota.agent_id = waiting.agent_id
  LEFT JOIN of_agent ON of_agent.agent_id = waiting.agent_id
  WHERE waiting.user_id = person.user_id AND waiting.status = 'queued' AND CASE WHEN
    waiting.not_before <= statement_timestamp()
      AND (waiting.cancel_at IS NULL OR waiting.cancel_at > statement_timestamp())
      AND (here.engine_ok AND %(containers)s OR version.kind = 'wasm')
      AND waiting.needs <@ here.labels
      AND (
        waiting.memory_bytes <= free.bytes
        OR waiting.memory_bytes <= here.memory_bytes
          AND waiting.queued_at < statement_timestamp() - %(hold_after)s::interval
      )
      AND coalesce(of_agent.n, 0) < least(quota.concurrent, %(per_agent)s)
      AND (
        here.images ? split_part(version.image, '@', 2)
        OR waiting.queued_at < statement_timestamp() - %(wait_for_image)s::interval
        OR NOT EXISTS (SELECT 1 FROM elsewhere WHERE elsewhere.images ? split_part(version.image, '@', 2))
      )
    THEN true ELSE false END
  ORDER BY waiting.priority DESC, waiting.id
  LIMIT 1
) head
WHERE coalesce(of_user.n, 0) < %(per_user)s
ORDER BY
  head.priority < 2,
  head.priority < 0 AND head.queued_at > statement_timestamp() - %(yield_at_most)s::interval,
  coalesce(of_user.n, 0),
  turn.served_at NULLS FIRST,
  head.id
LIMIT 1
"""
_SERVED = """
INSERT INTO executions_turn (user_id, served_at) VALUES (%s, statement_timestamp())
ON CONFLICT (user_id) DO UPDATE SET served_at = excluded.served_at
"""


_ROOM = """
SELECT memory_bytes - coalesce((
  SELECT sum(run.memory_bytes) FROM executions_execution run
  WHERE run.status IN ('starting', 'running') AND run.node = node.name
), 0)
FROM executions_node node WHERE name = %s
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to run next, and the memory that the node has beside it and all that run (bytes)."""

    execution: UUID
    room: int


def one_at_a_time() -> None:
    """Wait for one's turn to choose, until the transaction ends: two workers choosing at once would both see room for
    one more of the same person's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def choose(node: str, *, containers: bool = True) -> Choice | None:
    """What `node` should run next; None when there is none for it. Without `containers` its engine does
    not answer now, whatever its row says."""
    values: dict[str, Any] = {
        "containers": containers,
        "node": node,
        "per_user": limits.concurrent_per_user(),
        "per_agent": limits.concurrent_per_agent(),
        "wait_for_image": WAIT_FOR_IMAGE,
        "yield_at_most": YIELD_AT_MOST,
        "hold_after": HOLD_AFTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, values)
        row = cursor.fetchone()
    # One that has no room yet holds the node: others would take what becomes free.
    return None if row is None or row[1] < 0 else Choice(UUID(str(row[0])), int(row[1]))


def room(node: str) -> int:
    """The memory of `node` that no run under way has (bytes)."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOM, [node])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def served(user_id: UUID) -> None:
    """The person has been given a worker now."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVED, [user_id])
