"""What an engine has beyond the usual is a label of its node, and runs that ask for it go there."""

import pytest
from pytest_django import Settings

from executions import dispatch
from executions.nodes import inventory
from executions.nodes.reporting import Reporter
from executions.runners.docker.engine import Engine
from executions.sharing import choosing
from tests.factories.executions import NodeFactory, version_of

IMAGE = "agentnexus/sample@sha256:" + "0" * 64


@pytest.mark.docker
@pytest.mark.django_db
def test_a_node_offers_the_runtimes_its_engine_has(settings: Settings) -> None:
    settings.EXECUTION_RUNTIMES = ["runc", "not-there"]
    settings.EXECUTION_NODE_LABELS = ["gpu"]
    assert inventory.take(Engine(settings.DOCKER_HOST)).runtimes == {"runc"}
    assert Reporter(1).report().labels == ["gpu", "runc"]
    settings.EXECUTION_RUNTIMES = []
    assert Reporter(1).report().labels == ["gpu"]


@pytest.mark.django_db
def test_a_run_goes_where_its_runtime_is() -> None:
    version = version_of(IMAGE, runtime="runsc", gpus=1)
    asked = dispatch.request(version.agent.creator, version.agent, {})
    assert asked.needs == ["gpu", "runsc"]
    half, whole = NodeFactory.create(labels=["gpu"]), NodeFactory.create(labels=["gpu", "runsc"])

    assert choosing.choose(half.name) is None
    chosen = choosing.choose(whole.name)
    assert chosen is not None
    assert chosen.execution == asked.pk
