"""Real containers, real workers, real Redis."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import docker
import pytest
from django.conf import settings

from executions import dispatch
from executions.connections import redis_client
from executions.models import Execution
from executions.runners.base import Runner
from executions.runners.docker import DockerRunner, confinement
from executions.worker import run_claimed
from executions.worker.keeper import Keeper
from tests.executions import images

RunNow = Callable[[Execution], Execution]


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The condition's value once it is true; fails when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not true after {seconds} s"
        time.sleep(0.01)
    return value


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.APIClient]:
    """The Docker engine, as the tests look at it."""
    client = docker.APIClient(settings.DOCKER_HOST, version="auto", timeout=60)
    yield client
    client.close()


@pytest.fixture(scope="session")
def base_image() -> str:
    return images.ensure_base()


@pytest.fixture(scope="session")
def scripted(engine: docker.APIClient, base_image: str) -> Iterator[str]:
    """An image that runs the script in its input."""
    dockerfile = f"FROM {base_image}\nCMD {json.dumps(['/bin/sh', '-c', images.BOOTSTRAP])}"
    with images.built(engine, "agentnexus-test/scripted", dockerfile) as reference:
        yield reference


@pytest.fixture(scope="session")
def runner() -> DockerRunner:
    return DockerRunner(settings.DOCKER_HOST)


@pytest.fixture
def keeper() -> Iterator[Keeper]:
    keeper = Keeper()
    yield keeper
    keeper.close()


def run_one(execution_id: UUID, worker: str, keeper: Keeper, runner: Runner) -> bool:
    """Claim this execution, whoever's turn it is, and run it to its end; False when it is not to be had."""
    claimed = dispatch.claim(execution_id, worker)
    if claimed is None:
        return False
    run_claimed(claimed, keeper, runner)
    return True


@pytest.fixture
def run_now(keeper: Keeper, runner: DockerRunner) -> RunNow:
    """Runs an execution as a worker would, to its end."""

    def run(execution: Execution) -> Execution:
        run_one(execution.pk, "test-worker", keeper, runner)
        execution.refresh_from_db()
        return execution

    return run


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test may leave a container, a network or a line in Redis behind."""
    client: docker.APIClient | None = request.getfixturevalue("engine") if "docker" in request.keywords else None
    yield
    redis_client().flushdb()
    if client is not None:
        mine = {"label": [f"{confinement.LABEL}.instance={confinement.instance()}"]}
        try:
            eventually(lambda: not client.containers(all=True, filters=mine) and not client.networks(filters=mine), 5)
        finally:
            for container in client.containers(all=True, filters=mine):
                with suppress(docker.errors.NotFound):
                    client.remove_container(container["Id"], force=True, v=True)
            for network in client.networks(filters=mine):
                client.remove_network(network["Id"])


@pytest.fixture
def silent_registry() -> Iterator[str]:
    """The address of a registry that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
