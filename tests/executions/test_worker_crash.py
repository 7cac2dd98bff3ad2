"""Worker processes that die, with and without warning."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from executions import dispatch, logs
from executions.dispatch.sweeping import Swept
from executions.models import Execution
from executions.runners.docker import DockerRunner
from tests.executions.conftest import RunNow, eventually
from tests.executions.images import script
from tests.executions.worker_process import worker_process
from tests.factories.executions import version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]


def ask(image: str, text: str) -> Execution:
    version = version_of(image)
    with transaction.atomic():
        return dispatch.request(version.agent.creator, version.agent, script(text))


def status_of(execution: Execution) -> str:
    return Execution.objects.values_list("status", flat=True).get(pk=execution.pk)


def test_killed_worker_is_recovered_from_and_nothing_is_left(
    scripted: str, runner: DockerRunner, run_now: RunNow
) -> None:
    # given: a worker that ran one execution, and is in the middle of another
    with worker_process() as worker:
        first = ask(scripted, "echo '{\"first\": true}'")
        eventually(lambda: status_of(first) == "succeeded")
        execution = ask(scripted, "echo begun; sleep 2; echo '{}'")
        eventually(lambda: logs.read(execution.pk).lines)
        # when
        worker.kill()
    (orphan,) = runner.containers()
    assert (orphan.execution_id, orphan.attempt) == (execution.pk, 1)
    assert dispatch.sweep(runner) == Swept()  # its lease still holds
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
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
