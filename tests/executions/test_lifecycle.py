"""What a worker does beside the runs."""

import threading

import pytest

from executions.nodes.models import Node
from executions.nodes.reporting import Reporter
from executions.worker import heartbeat, lifecycle
from tests.executions.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(lifecycle, "_ending", threading.Event())


def test_it_looks_again_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def report(self: Reporter) -> Node:
        looked.append(1)
        raise ValueError

    monkeypatch.setattr(Reporter, "report", report)
    watch = threading.Thread(target=lifecycle._Watch(1).run)
    watch.start()
    try:
        eventually(lambda: len(looked) > 2)
    finally:
        lifecycle._ending.set()
        watch.join()
