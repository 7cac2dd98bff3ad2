"""Two nodes on this machine: two Docker engines, a worker process on each."""

from contextlib import ExitStack
from datetime import timedelta

import docker
import pytest
from django.db import transaction
from django.utils import timezone

from executions import dispatch
from executions.dispatch.sweeping import Swept, reap
from executions.models import Execution, Node
from executions.nodes import steering
from executions.runners.docker import DockerRunner
from tests.executions.conftest import eventually
from tests.executions.images import script
from tests.executions.own_engine import OwnDocker, own_docker
from tests.executions.worker_process import WorkerProcess
from tests.factories.executions import version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]


def ask(image: str, text: str, count: int = 1, needs: tuple[str, ...] = ()) -> list[Execution]:
    version = version_of(image)
    with transaction.atomic():
        asked = [dispatch.request(version.agent.creator, version.agent, script(text)) for _ in range(count)]
        if needs:
            Execution.objects.filter(pk__in=[one.pk for one in asked]).update(needs=list(needs))
    return asked


def where(executions: list[Execution]) -> list[str]:
    """The node of each, once all have succeeded."""
    own = Execution.objects.filter(pk__in=[one.pk for one in executions])
    eventually(lambda: own.filter(status="succeeded").count() == len(executions), 30)
    return sorted(own.values_list("node", flat=True))


def test_two_nodes(engine: docker.APIClient, scripted: str) -> None:
    with ExitStack() as stack:
        own = stack.enter_context(own_docker(scripted))
        first = WorkerProcess(EXECUTION_NODE="one", EXECUTION_SHUTDOWN_SECONDS="1", EXECUTION_CONCURRENT_PER_USER="0")
        stack.callback(first.kill)
        second = WorkerProcess(
            EXECUTION_NODE="two", EXECUTION_NODE_LABELS="gpu", DOCKER_HOST=own.url, EXECUTION_CONCURRENT_PER_USER="0"
        )
        stack.callback(second.kill)
        for worker in (first, second):
            worker.wait_until_ready()
        _report_themselves(scripted)
        _take_what_fits_them(scripted)
        _drain(scripted)
        _lose_second(second, own, scripted)


def _report_themselves(scripted: str) -> None:
    one, two = Node.objects.order_by("name")
    assert (one.engine_ok, two.engine_ok, one.labels, two.labels) == (True, True, [], ["gpu"])
    assert (two.slots, two.cpus > 0, two.memory_bytes > 0) == (2, True, True)
    assert scripted.partition("@")[2] in two.images


def _take_what_fits_them(scripted: str) -> None:
    # four at once fill the two slots of each
    four = ask(scripted, "sleep 60", 4)
    running = Execution.objects.filter(pk__in=[one.pk for one in four], status="running")
    eventually(lambda: running.count() == 4, 30)
    assert sorted(running.values_list("node", flat=True)) == ["one", "one", "two", "two"]
    for one in four:
        dispatch.cancel(one.user, one.pk)
    eventually(lambda: not running.exists(), 30)
    # what needs a label goes where it is
    assert where(ask(scripted, "echo '{}'", 2, needs=("gpu",))) == ["two", "two"]
    # what is cordoned takes nothing
    steering.cordon("one", "Broken fan.")
    assert where(ask(scripted, "echo '{}'", 2)) == ["two", "two"]
    steering.uncordon("one")
    steering.cordon("two")
    assert where(ask(scripted, "echo '{}'", 2)) == ["one", "one"]


def _drain(scripted: str) -> None:
    """What does not end in time is handed over without blame."""
    (execution,) = ask(scripted, "sleep 5; echo '{}'")
    eventually(lambda: Execution.objects.filter(pk=execution.pk, status="running", node="one").exists())
    steering.uncordon("two")
    steering.drain("one", "New kernel.")
    assert where([execution]) == ["two"]
    execution.refresh_from_db()
    assert (execution.attempt, execution.failures) == (2, 0)


def _lose_second(second: WorkerProcess, own: OwnDocker, scripted: str) -> None:
    (execution,) = ask(scripted, "sleep 2; echo '{}'")
    eventually(lambda: Execution.objects.filter(pk=execution.pk, status="running", node="two").exists())
    # when: the machine is gone, with worker and engine
    second.kill()
    own.kill()
    steering.uncordon("one")
    # longer ago than another worker of its node has to take it over
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now() - timedelta(seconds=16))
    dispatch.sweep()
    # then: the other one runs it anew
    assert where([execution]) == ["one"]
    execution.refresh_from_db()
    assert (execution.attempt, execution.failures) == (2, 1)
    # and what the lost one had left is removed once its engine answers again
    own.start()
    swept = Swept()
    reap(DockerRunner(own.url), swept)
    assert swept.removed == 1
    with own.client() as client:
        assert client.containers(all=True) == []
