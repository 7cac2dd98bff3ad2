"""Worker processes that die, with and without warning."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from executions import dispatch, logs
from executions.dispatch.sweeping import Swept
from executions.models import Execution
from executions.runners.docker import DockerRunner, hot
from executions.runners.docker.confinement import LABEL, instance
from tests.executions.conftest import RunNow, eventually
from tests.executions.images import python, script
from tests.executions.worker_process import worker_process
from tests.factories.executions import version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]


def ask(image: str, text: str) -> Execution:
    version = version_of(image)
    with transaction.atomic():
        return dispatch.request(version.agent.creator, version.agent, script(text))


def status_of(execution: Execution) -> str:
    return Execution.objects.values_list("status", flat=True).get(pk=execution.pk)


AGENT = """
import sys, time
for n in range(400):
    print(f"out {n}", flush=True)
    if n % 3 == 0: print(f"err {n}", file=sys.stderr, flush=True)
    time.sleep(0.01)
print("{\\"n\\": 400}")
"""


def test_another_worker_goes_on_with_a_run_whose_worker_was_killed(scripted: str, runner: DockerRunner) -> None:
    # given: a worker killed in the middle of a run, which goes on
    with worker_process() as worker:
        version = version_of(scripted)
        execution = dispatch.request(version.agent.creator, version.agent, python(AGENT))
        eventually(lambda: len(logs.read(execution.pk).lines) > 50)
        worker.kill()
    before = logs.read(execution.pk).lines
    (orphan,) = runner.containers()
    # when: its lease has run out, and another worker is there
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert dispatch.sweep(runner) == Swept()  # its node lives: one of its workers will go on
    with worker_process():
        eventually(lambda: status_of(execution) == "succeeded", 20)
    # then: no line is missing or there twice, and nothing was begun anew
    execution.refresh_from_db()
    assert (execution.output, execution.attempt, execution.failures) == ({"n": 400}, 2, 0)
    assert execution.container_id == orphan.handle
    lines = logs.read(execution.pk).lines
    assert lines[: len(before)] == before
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    texts = {source: [line.text for line in lines if line.stream == source] for source in ("stdout", "stderr", "event")}
    assert texts == {
        "stdout": [f"out {n}" for n in range(400)],
        "stderr": [f"err {n}" for n in range(0, 400, 3)],
        "event": ["The worker was lost; another one has taken over, and the agent went on."],
    }
    eventually(lambda: runner.containers() == [])


def test_killed_worker_is_recovered_from_and_nothing_is_left(
    scripted: str, runner: DockerRunner, run_now: RunNow
) -> None:
    # given: a worker that ran one execution, and is in the middle of another
    with worker_process() as worker:
        first = ask(scripted, "echo '{\"first\": true}'")
        eventually(lambda: status_of(first) == "succeeded")
        execution = ask(scripted, "echo begun; sleep 2; echo '{}'")
        eventually(lambda: logs.read(execution.pk).lines)
        worker.kill()
    (orphan,) = runner.containers()
    assert (orphan.execution_id, orphan.attempt) == (execution.pk, 1)
    assert dispatch.sweep(runner) == Swept()  # its lease still holds
    # when: no worker of its node takes it over in time
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now() - timedelta(seconds=16))
    assert dispatch.sweep(runner) == Swept(retried=1, removed=1)
    assert runner.containers() == []
    # then: another worker runs it anew
    run_now(execution)
    assert (execution.status, execution.attempt, execution.failures) == ("succeeded", 2, 1)
    assert [line.text for line in logs.read(execution.pk).lines] == [
        "begun",
        "Attempt 2. The worker that ran it disappeared.",
        "begun",
    ]


def test_worker_asked_to_stop_hands_over_what_does_not_end_in_time(scripted: str, runner: DockerRunner) -> None:
    with worker_process(EXECUTION_SHUTDOWN_SECONDS="2") as worker:
        short = ask(scripted, "echo begun; sleep 1; echo '{}'")
        long = ask(scripted, "echo begun; sleep 60")
        eventually(lambda: logs.read(short.pk).lines and logs.read(long.pk).lines)
        assert worker.terminate(15) == 0
    assert status_of(short) == "succeeded"
    long.refresh_from_db()
    assert (long.status, long.attempt, long.failures) == ("queued", 1, 0)
    assert [line.text for line in logs.read(long.pk).lines] == ["begun", "The worker was shut down."]
    assert runner.containers() == []


def test_a_worker_gives_a_run_the_container_that_waits(scripted: str, runner: DockerRunner) -> None:
    def waiting() -> list[str]:
        mine = {"name": ["agentnexus-hot-"], "label": [f"{LABEL}.instance={instance()}"]}
        return [one["Id"] for one in runner._engine.client.containers(filters=mine)]

    with worker_process(EXECUTION_HOT_MEMORY_BYTES=str(1024**3)) as worker:
        version = version_of(scripted)
        # given: enough runs for one to be worth while
        for _ in range(hot.RUNS_EACH):
            execution = dispatch.request(version.agent.creator, version.agent, script("echo '{}'"))
            eventually(partial(ended, execution), 30)
        eventually(lambda: len(waiting()) == 1, 30)
        (ready,) = waiting()
        # when
        execution = dispatch.request(version.agent.creator, version.agent, script("echo hello; echo '{\"hot\": 1}'"))
        eventually(partial(ended, execution), 30)
        # then: it ran in there, as any other
        execution.refresh_from_db()
        assert (execution.status, execution.output, execution.container_id) == ("succeeded", {"hot": 1}, ready)
        assert [line.text for line in logs.read(execution.pk).lines] == ["hello"]
        worker.terminate(30)
    eventually(lambda: not waiting() and not runner.containers(), 30)


def ended(execution: Execution) -> bool:
    return status_of(execution) == "succeeded"
