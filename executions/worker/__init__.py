"""The process that runs agents: `celery -A config worker -Q executions -P threads -c 4`.

Asked to stop (TERM), it takes no more work and gives running agents EXECUTION_SHUTDOWN_SECONDS to end; what still runs
is killed, goes back to the queue without counting as a failure, and another worker runs it anew. Killed outright, it
leaves containers behind: the lease runs out, a sweep takes the execution away, kills the container and has it run anew.
An agent has no network and nobody sees its result before the end, so running it anew repeats nothing outside.
"""

from executions.worker.running import run_claimed, run_next

__all__ = ["run_claimed", "run_next"]
