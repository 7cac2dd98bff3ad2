"""Health checks: whether executions can run now, told from what the workers report."""

from typing import Any

import redis
from django.utils import timezone

from executions.sharing.demand import demand
from executions.worker import heartbeat

LONG_WAIT_SECONDS = 600


def status() -> list[dict[str, Any]]:
    """Checks of this room: `{name, ok, detail}`. Never raises for Redis; the database is checked before."""
    try:
        beats, scheduled = heartbeat.beats(), heartbeat.schedule_runs()
    except redis.RedisError:
        return [_check("execution_workers", False, "Redis is away, so nobody knows."), _queue()]
    return [_workers(beats), _engines(beats), _scheduled(scheduled), _queue()]


def _workers(beats: list[heartbeat.Beat]) -> dict[str, Any]:
    if not beats:
        return _check("execution_workers", False, "No worker is running: executions wait. Start the worker process.")
    running = sum(beat.running for beat in beats)
    return _check("execution_workers", True, f"{len(beats)} running, with {running} executions under way")


def _engines(beats: list[heartbeat.Beat]) -> dict[str, Any]:
    able = [beat for beat in beats if beat.engine_ok]
    if able:
        return _check("docker", True, ", ".join(sorted({beat.engine for beat in able})))
    if not beats:
        return _check("docker", False, "Unknown while no worker is running.")
    reasons = " ".join(sorted({beat.engine for beat in beats}))
    return _check("docker", False, f"No worker can run containers, so they wait. {reasons}")


def _scheduled(runs: bool) -> dict[str, Any]:
    if runs:
        return _check("scheduled_tasks", True, "running")
    detail = (
        f"None has run for {heartbeat.SCHEDULED_SECONDS} s: payments are not settled, nothing is deleted in time. "
        "Start the beat and chores processes."
    )
    return _check("scheduled_tasks", False, detail)


def _queue() -> dict[str, Any]:
    now = demand()
    if now.since is None:
        return _check("execution_queue", True, f"{now.waiting} waiting for earlier ones" if now.waiting else "empty")
    age = int((timezone.now() - now.since).total_seconds())
    return _check("execution_queue", age < LONG_WAIT_SECONDS, f"{now.runnable} waiting, the first for {age} s")


def _check(name: str, ok: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail}
