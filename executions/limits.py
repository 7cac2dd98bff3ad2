"""What one execution may use. Settings may move the figures; each has a default that suits two cores."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings

from marketplace.models import AgentVersion

# A worker that has not renewed its lease for this long has lost the execution.
LEASE = timedelta(seconds=settings.EXECUTION_LEASE_SECONDS)
# After that long more, a run whose agent goes on without a worker is given up and done anew.
ADOPT_WITHIN = LEASE / 2
# So long after a restart of the database no lease counts as run out: nobody could renew it before.
RENEW_AFTER_RESTART = timedelta(seconds=settings.EXECUTION_RESTART_GRACE_SECONDS)
# How often leases are renewed, and how often a worker looks for cancellations that nobody told it of.
RENEW_EVERY = LEASE / 3
LOOK_EVERY = timedelta(seconds=1)
# How soon an execution that found no engine, or that the platform failed, may be taken again.
RETRY_AFTER = timedelta(seconds=10)
# Pulling and starting together.
START_WITHIN = timedelta(minutes=12)
PULL_WITHIN = timedelta(minutes=10)
# A worker kills its container at the deadline; when it has not written that down by then, the sweep does.
DEADLINE_GRACE = timedelta(seconds=20)
MAX_INFRASTRUCTURE_FAILURES = 3
# What `Cancel-After` may say.
CANCEL_AFTER_LEAST = timedelta(seconds=5)
CANCEL_AFTER_MOST = timedelta(days=7)
# Nesting of a JSON document: deeper ones exhaust the stack of ordinary parsers.
DOCUMENT_DEPTH = 64
IDEMPOTENCY_KEY_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run. Sizes in bytes, times in seconds."""

    timeout: int
    memory: int
    nano_cpus: int
    input: int
    output: int  # of the result document, and of any line of standard output
    log: int  # kept; what follows is dropped with a visible mark
    log_lines: int
    log_line: int  # longer lines are cut with a visible mark
    written: int  # of both streams together; more ends the run
    written_lines: int = 1_000_000  # likewise: a short line costs the worker as much as a long one
    processes: int = 64
    scratch: int = 64 * 1024 * 1024  # /tmp
    scratch_files: int = 4096
    shared_memory: int = 8 * 1024 * 1024
    open_files: int = 1024
    file_size: int = 64 * 1024 * 1024
    files: int = 64 * 1024 * 1024  # of those it gives, together


def current() -> Limits:
    """The limits as configured now."""
    output, log = settings.EXECUTION_OUTPUT_BYTES, settings.EXECUTION_LOG_BYTES
    return Limits(
        timeout=settings.EXECUTION_TIMEOUT_SECONDS,
        memory=settings.EXECUTION_MEMORY_BYTES,
        nano_cpus=settings.EXECUTION_NANO_CPUS,
        input=settings.EXECUTION_INPUT_BYTES,
        output=output,
        log=log,
        log_lines=settings.EXECUTION_LOG_LINES,
        log_line=16 * 1024,
        written=16 * (output + log),
        files=settings.EXECUTION_FILES_BYTES,
        file_size=max(64 * 1024 * 1024, settings.FILE_BYTES),
    )


# More than any engine runs: stands for "no limit" where a number is needed.
NO_LIMIT = 2**31 - 1


def for_version(version: AgentVersion) -> Limits:
    """The limits of a run of `version`."""
    share = version.share
    return replace(current(), timeout=share.timeout_seconds, memory=share.memory_bytes, nano_cpus=share.nano_cpus)


def concurrent_per_user() -> int:
    """How many executions of one person may be under way at the same time; others wait."""
    return _limit(settings.EXECUTION_CONCURRENT_PER_USER) or NO_LIMIT


def concurrent_per_agent() -> int:
    """How many executions of one agent may be under way at the same time."""
    return _limit(settings.EXECUTION_CONCURRENT_PER_AGENT) or NO_LIMIT


def queued_per_user() -> int:
    """How many unfinished executions one person may have."""
    return _limit(settings.EXECUTION_QUEUED_PER_USER) or NO_LIMIT


def queue_length() -> int:
    """How many executions may wait in all."""
    return _limit(settings.EXECUTION_QUEUE_LENGTH) or NO_LIMIT


def daily_per_user() -> int | None:
    """How many executions one person may ask for a day."""
    return _limit(settings.EXECUTION_DAILY_PER_USER)


def daily_per_agent() -> int | None:
    """How many executions of one agent may be asked for a day."""
    return _limit(settings.EXECUTION_DAILY_PER_AGENT)


def _limit(value: int) -> int | None:
    return value if value > 0 else None


def shutdown_grace() -> float:
    """Seconds that running agents get to finish when their worker is asked to stop."""
    return float(settings.EXECUTION_SHUTDOWN_SECONDS)
