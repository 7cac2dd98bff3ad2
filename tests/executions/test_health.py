"""What the health page says of executions."""

from datetime import timedelta

import pytest
import redis
from django.utils import timezone
from pytest_django import Settings

from executions import health
from executions.models import Execution, Turn
from executions.tasks import sweep_executions
from executions.worker import heartbeat
from tests.factories.executions import ExecutionFactory
from wallets.models import User

pytestmark = pytest.mark.django_db


def said() -> dict[str, tuple[bool, str]]:
    return {check["name"]: (check["ok"], check["detail"]) for check in health.status()}


def test_no_worker() -> None:
    assert said() == {
        "execution_workers": (False, "No worker is running: executions wait. Start the worker process."),
        "docker": (False, "Unknown while no worker is running."),
        "scheduled_tasks": (
            False,
            "None has run for 60 s: payments are not settled, nothing is deleted in time. "
            "Start the beat and chores processes.",
        ),
        "execution_queue": (True, "empty"),
    }


def test_workers_with_an_engine() -> None:
    heartbeat.beat("a", engine_ok=True, engine="Docker 20.10", running=2)
    heartbeat.beat("b", engine_ok=False, engine="The Docker engine cannot be reached.", running=0)
    assert said()["execution_workers"] == (True, "2 running, with 2 executions under way")
    assert said()["docker"] == (True, "Docker 20.10")


def test_workers_without_an_engine() -> None:
    heartbeat.beat("a", engine_ok=False, engine="The Docker engine cannot be reached.", running=0)
    why = "No worker can run containers, so they wait. The Docker engine cannot be reached."
    assert said()["docker"] == (False, why)


def test_worker_not_heard_of_or_gone_in_order_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat.beat("gone", engine_ok=True, engine="Docker", running=0)
    heartbeat.farewell("gone")
    heartbeat.beat("silent", engine_ok=True, engine="Docker", running=0)
    monkeypatch.setattr(heartbeat, "STALE_SECONDS", 0.0)
    assert said()["execution_workers"][0] is False


def test_scheduled_tasks_run() -> None:
    sweep_executions()
    assert said()["scheduled_tasks"] == (True, "running")


def test_queue() -> None:
    execution = ExecutionFactory.create()
    type(execution).objects.update(queued_at=timezone.now() - timedelta(seconds=65))
    assert said()["execution_queue"] == (True, "1 waiting, the first for 65 s")


def test_without_redis_nothing_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("executions.worker.heartbeat.redis_client", away)
    assert said()["execution_workers"] == (False, "Redis is away, so nobody knows.")


def test_what_only_a_persons_own_limit_holds_back_is_no_trouble(user: User, settings: Settings) -> None:
    settings.EXECUTION_CONCURRENT_PER_USER = 1
    for status in ("running", "queued", "queued"):
        ExecutionFactory.create(user=user, status=status, attempt=1)
    Execution.objects.update(queued_at=timezone.now() - timedelta(seconds=700))
    assert said()["execution_queue"] == (True, "2 waiting for earlier ones")
    Execution.objects.filter(status="running").delete()
    Turn.objects.create(user=user, served_at=timezone.now() - timedelta(seconds=5))
    assert said()["execution_queue"] == (True, "1 waiting, the first for 5 s")


def test_long_wait_is_trouble() -> None:
    execution = ExecutionFactory.create()
    type(execution).objects.update(queued_at=timezone.now() - timedelta(seconds=700))
    assert said()["execution_queue"] == (False, "1 waiting, the first for 700 s")
