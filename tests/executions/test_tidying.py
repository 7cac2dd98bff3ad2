"""Images of agents within a budget of disk."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import docker
import docker.errors
import pytest
from django.utils import timezone
from pytest_django import Settings

from executions.models import Execution
from executions.runners.docker.engine import Engine
from executions.worker.tidying import tidy
from tests.executions import images
from tests.executions.runners.registry import serving
from tests.factories.executions import ExecutionFactory, version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db]


@pytest.fixture
def pulled(engine: docker.APIClient, base_image: str) -> Iterator[list[str]]:
    """Two images that came from a registry, for an agent each."""
    references = []
    for number in (1, 2):
        dockerfile = f'FROM {base_image}\nLABEL number={number}\nCMD ["/bin/true"]'
        with (
            images.built(engine, f"agentnexus-test/tidy{number}", dockerfile) as built,
            serving(engine, built.partition("@")[0]) as registry,
        ):
            list(engine.pull(registry.reference.partition("@")[0], tag=registry.digest, stream=True))
            references.append(registry.reference)
    yield references
    for reference in references:
        with suppress(docker.errors.APIError):
            engine.remove_image(reference, force=True)


def _there(engine: docker.APIClient, reference: str) -> bool:
    try:
        engine.inspect_image(reference)
    except docker.errors.ImageNotFound:
        return False
    return True


def test_longest_unused_first_and_never_one_in_use(
    engine: docker.APIClient, pulled: list[str], settings: Settings
) -> None:
    first, second = (version_of(reference) for reference in pulled)
    now = timezone.now()
    ended = {"status": Execution.Status.SUCCEEDED, "finished_at": now}
    ExecutionFactory.create(version=first, started_at=now - timedelta(days=1), **ended)
    ExecutionFactory.create(version=second, started_at=now - timedelta(days=2), **ended)
    ours = Engine(settings.DOCKER_HOST)
    size = engine.inspect_image(pulled[0])["Size"]

    settings.EXECUTION_IMAGE_CACHE_BYTES = 0  # no budget, nothing to do
    assert tidy(ours) == []
    settings.EXECUTION_IMAGE_CACHE_BYTES = 3 * size
    assert tidy(ours) == []
    settings.EXECUTION_IMAGE_CACHE_BYTES = size + 1
    assert tidy(ours) == [pulled[1]]
    assert (_there(engine, pulled[0]), _there(engine, pulled[1])) == (True, False)

    settings.EXECUTION_IMAGE_CACHE_BYTES = 1
    waiting = ExecutionFactory.create(version=first)
    assert tidy(ours) == []
    waiting.delete()
    container = engine.create_container(pulled[0], labels={images.LABEL: "1"})["Id"]
    try:
        assert tidy(ours) == []
    finally:
        engine.remove_container(container)
    assert tidy(ours) == [pulled[0]]
