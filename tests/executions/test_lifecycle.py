"""What a worker does beside the runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from executions.models import Execution
from executions.nodes.models import Node
from executions.nodes.reporting import Reporter
from executions.worker import heartbeat, lifecycle
from tests.executions.conftest import eventually
from tests.factories.executions import ExecutionFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(lifecycle, "_ending", threading.Event())


@contextmanager
def watching() -> Iterator[None]:
    watch = threading.Thread(target=lifecycle._Watch(1).run)
    watch.start()
    try:
        yield
    finally:
        lifecycle._ending.set()
        watch.join()


def statuses(*executions: Execution) -> list[str]:
    ids = [execution.pk for execution in executions]
    return list(Execution.objects.filter(pk__in=ids).values_list("status", flat=True))


def test_it_looks_again_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def report(self: Reporter) -> Node:
        looked.append(1)
        raise ValueError

    monkeypatch.setattr(Reporter, "report", report)
    with watching():
        eventually(lambda: len(looked) > 2)


def test_deadlines_hold_without_scheduled_tasks() -> None:
    past = timezone.now() - timedelta(seconds=60)
    waiting = ExecutionFactory.create(cancel_at=past)
    lost = ExecutionFactory.create(status="running", attempt=1, node="lost", lease_until=past)
    with watching():
        eventually(lambda: set(statuses(waiting, lost)) == {"cancelled", "queued"})
