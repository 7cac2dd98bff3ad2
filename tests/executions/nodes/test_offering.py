"""What an engine has beyond the usual is a label of its node, and runs that ask for it go there."""

from typing import Any

import pytest
from pytest_django import Settings

from executions import dispatch
from executions.models import Execution
from executions.nodes.reporting import Reporter
from executions.runners.docker import runtimes
from executions.runners.docker.runtimes import Runtime
from executions.sharing import choosing
from executions.sharing.obstacles import obstacle
from marketplace.catalogue import runtimes as names
from tests.factories.executions import ExecutionFactory, NodeFactory, version_of

IMAGE = "agentnexus/sample@sha256:" + "0" * 64


@pytest.mark.docker
@pytest.mark.django_db
def test_a_node_offers_the_runtimes_its_engine_has(settings: Settings) -> None:
    settings.EXECUTION_RUNTIMES = ["runc", "not-there"]
    settings.EXECUTION_NODE_LABELS = ["gpu"]
    assert Reporter(1).report().labels == ["gpu", "runc", "runc+gpu", "runc+net"]
    settings.EXECUTION_RUNTIMES = []
    assert Reporter(1).report().labels == ["gpu"]


@pytest.mark.parametrize(
    ("how", "runtime"),
    [
        ({"path": "runc"}, Runtime("x")),
        ({"path": "/usr/bin/runsc"}, Runtime("x", gvisor=True, network=True, gpus=False)),
        ({"path": "/usr/bin/runsc", "runtimeArgs": ["--network=none"]}, Runtime("x", True, False, False)),
        ({"path": "/usr/bin/runsc", "runtimeArgs": ["-network", "none", "--nvproxy"]}, Runtime("x", True, False, True)),
        ({"path": "/opt/runsc-for-docker", "runtimeArgs": ["--nvproxy=false"]}, Runtime("x", True, True, False)),
        ({"runtimeType": "io.containerd.runsc.v1"}, Runtime("x", True, True, False)),
    ],
)
def test_what_a_runtime_can_do_is_read_from_its_registration(how: dict[str, Any], runtime: Runtime) -> None:
    assert runtimes.found({"Runtimes": {"x": how}})["x"] == runtime


def test_the_engines_own_runtime_may_be_gvisor() -> None:
    registered = {"Runtimes": {"runsc": {"path": "runsc"}, "runc": {"path": "runc"}}}
    assert runtimes.found(registered | {"DefaultRuntime": "runsc"})[""] == Runtime("", True, True, False)
    assert runtimes.found(registered | {"DefaultRuntime": "runc"})[""] == Runtime("")


@pytest.mark.django_db
def test_a_run_goes_where_its_runtime_is() -> None:
    version = version_of(IMAGE, runtime="runsc", gpus=1, hosts=["api.example.com:443"])
    asked = dispatch.request(version.agent.creator, version.agent, {})
    assert asked.needs == ["gpu", "runsc", "runsc+net", "runsc+gpu"]
    half = NodeFactory.create(labels=["gpu", "runsc", "runsc+gpu"])
    whole = NodeFactory.create(labels=["gpu", "runsc", "runsc+net", "runsc+gpu"])

    assert choosing.choose(half.name) is None
    chosen = choosing.choose(whole.name)
    assert chosen is not None
    assert chosen.execution == asked.pk


@pytest.mark.django_db
def test_the_platforms_own_runtime_is_a_need_too(settings: Settings) -> None:
    settings.EXECUTION_RUNTIME = "runsc"
    container = version_of(IMAGE)
    module = version_of("", kind="wasm", module="0" * 64)
    needs = [dispatch.request(one.agent.creator, one.agent, {}).needs for one in (container, module)]
    assert needs == [["runsc"], []]


@pytest.mark.django_db
def test_a_run_says_what_it_waits_for() -> None:
    version = version_of(IMAGE, runtime="runsc", hosts=["api.example.com:443"])
    execution = ExecutionFactory.create(version=version, needs=["runsc", "runsc+net", "gpu"], memory_bytes=2 * 1024**3)
    assert obstacle(execution) == ""  # no machine was heard of: nobody knows
    node = NodeFactory.create(labels=[], engine_ok=False)
    assert obstacle(execution) == "It waits for a machine with a container engine: none is in service now."
    NodeFactory.create(labels=["runsc"])
    assert obstacle(execution) == (
        "It waits for a machine with GPUs and a network under gVisor: none is in service now. You may cancel it."
    )
    fit = NodeFactory.create(labels=["gpu", "runsc", "runsc+net"])
    assert obstacle(execution) == (
        "It needs 2,048 MiB of memory, and no machine in service that could run it has more than 1,024. "
        "You may cancel it."
    )
    type(node).objects.filter(pk=fit.pk).update(memory_bytes=4 * 1024**3)
    assert obstacle(execution) == ""
    type(node).objects.filter(pk=fit.pk).update(state="cordoned")
    assert obstacle(execution).startswith("It waits for a machine with GPUs")
    Execution.objects.filter(pk=execution.pk).update(status="starting")
    execution.refresh_from_db()
    assert obstacle(execution) == ""


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["runsc"], "gVisor"),
        (["gpu"], "GPUs"),
        (["gpu", "kata"], "GPUs and Kata Containers"),
        (["gpu", "runsc", "runsc+gpu"], "GPUs under gVisor"),
        (["gpu", "runsc", "runsc+gpu", "runsc+net"], "GPUs and a network under gVisor"),
        (["arm64", "runsc-old", "runsc-old+net"], "arm64 and a network under gVisor (runsc-old)"),
    ],
)
def test_needs_in_words(labels: list[str], words: str) -> None:
    assert names.in_words(labels) == words


def test_a_nodes_runtimes_in_words(settings: Settings) -> None:
    settings.EXECUTION_RUNTIMES = ["runsc", "runc"]
    labels = ["gpu", "runc", "runc+gpu", "runc+net", "runsc", "unasked"]
    assert names.described(labels) == ["runc", "gVisor (runsc), no network, no GPUs"]
    assert names.described(["runsc"]) == ["gVisor (runsc), no network"]
    assert names.others(labels) == ["gpu", "unasked"]
