"""Every attack of tests/attacks, once. `make attack` runs each three times and measures the host and a neighbour."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker
import pytest

from executions.runners.docker import DockerRunner
from tests.attacks.arena import Result, arena
from tests.attacks.catalogue import ALL
from tests.executions.conftest import eventually

# All attacks are carried out in one fixture, which takes its time on a busy machine.
pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("attacks"), pytest.mark.timeout(300)]
AT_ONCE = 6


@pytest.fixture(scope="module")
def results(
    engine: docker.APIClient, runner: DockerRunner, django_db_setup: None, django_db_blocker: Any
) -> Iterator[dict[str, Result]]:
    """What came of each attack; some run at the same time, as strangers' agents do."""
    with django_db_blocker.unblock(), arena(engine, runner) as ring, ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(ring.carry_out, ALL))
        eventually(lambda: not ring.left_behind())
        yield {result.attack.name: result for result in done}


@pytest.mark.parametrize("name", [attack.name for attack in ALL])
def test_promise_holds_against(name: str, results: dict[str, Result]) -> None:
    assert results[name].complaint is None
