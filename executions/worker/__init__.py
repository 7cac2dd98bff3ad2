"""The process that runs agents: `celery -A config worker -Q executions -P threads -c 4`.

Asked to stop (TERM), it takes no more work and gives running agents EXECUTION_SHUTDOWN_SECONDS to end; what still runs
is killed, goes back to the queue without counting as a failure, and another worker runs it anew. Killed outright, it
leaves containers behind: the lease runs out, and another worker of the node goes on with the run; else a sweep takes it
away, and it is run anew. Nobody sees its result before the end, so that repeats nothing, but what an agent does at its
hosts: those are told so (docs/agents.md).
"""

from executions.worker.running import run_claimed, run_next

__all__ = ["run_claimed", "run_next"]
