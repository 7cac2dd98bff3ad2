"""Images that come from a registry, and images that go away."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import docker
import docker.errors
import pytest

from executions.runners.base import Ending, Found
from executions.runners.docker import DockerRunner, hot
from executions.runners.docker.confinement import LABEL
from executions.runners.docker.images import ImageUnusableError, check
from tests.executions import images
from tests.executions.images import script
from tests.executions.runners.recording import run
from tests.executions.runners.registry import Registry, serving

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Labels name the installation by its database."""


@pytest.fixture
def registry(engine: docker.APIClient, scripted: str) -> Iterator[Registry]:
    with serving(engine, scripted.partition("@")[0]) as registry:
        yield registry
        with suppress(docker.errors.ImageNotFound):
            engine.remove_image(registry.reference)


def test_pulled_by_digest_once_with_a_word_in_the_log(runner: DockerRunner, registry: Registry) -> None:
    first = run(runner, registry.reference, script("echo '[1]'"))
    assert (first.outcome.ending, first.output) == (Ending.EXITED, [1])
    assert first.sink.events[0] == f"Pulling {registry.address}/sample/agent"
    assert first.sink.events[-1].startswith("Image ready after ")
    again = run(runner, registry.reference, script("echo '[2]'"))
    assert (again.output, again.sink.events) == ([2], [])


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "The registry has no image {} with the version's digest."),
        (401, "The registry does not let us pull {}: it does not exist there or is private."),
    ],
)
def test_registry_refuses(runner: DockerRunner, registry: Registry, status: int, sentence: str) -> None:
    reference = f"{registry.address}/sample/agent@sha256:{'0' * 64}"
    registry.status = status if status != 404 else 0
    ran = run(runner, reference, {})
    assert (ran.outcome.ending, ran.outcome.message) == (
        Ending.IMAGE,
        sentence.format(f"{registry.address}/sample/agent"),
    )


def test_image_removed_since_it_was_seen(runner: DockerRunner, engine: docker.APIClient, base_image: str) -> None:
    with images.built(engine, "agentnexus-test/gone", f'FROM {base_image}\nCMD ["/bin/echo", "[]"]') as image:
        assert run(runner, image, {}).output == []
    ran = run(runner, image, {})
    assert ran.outcome.ending == Ending.IMAGE
    assert ran.sink.events[0] == f"Pulling {image.partition('@')[0]}"


def test_labels_of_an_image_do_not_confuse_the_reaper(
    runner: DockerRunner, engine: docker.APIClient, base_image: str
) -> None:
    dockerfile = f'FROM {base_image}\nLABEL {LABEL}.execution=x {LABEL}.attempt=y\nCMD ["/bin/true"]'
    with images.built(engine, "agentnexus-test/labelled", dockerfile) as image:
        made = engine.create_container(image.partition("@")[2], name=hot.new_name(), labels=hot.labels())["Id"]
        assert runner.containers() == [Found(made, UUID(int=0), 0, 0)]
        runner.remove(made)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Size": 5 * 1024**3}, "The image is 5,120 MiB when unpacked; at most 4,096 MiB are allowed."),
        ({"RootFS": {"Layers": ["sha256:x"] * 101}}, "The image has more than 100 layers."),
        ({"Architecture": "riscv64"}, "The image is for riscv64 processors; agents run on amd64 here."),
        ({"Os": "windows"}, "The image is for windows, not for Linux."),
        ({"Config": {}}, "The image says no command to run: set ENTRYPOINT or CMD."),
    ],
)
def test_policy(changes: dict[str, Any], sentence: str) -> None:
    fine = {"Os": "linux", "Architecture": "amd64", "Size": 10, "Config": {"Cmd": ["x"]}, "RootFS": {"Layers": ["x"]}}
    check(fine, "amd64")
    with pytest.raises(ImageUnusableError) as raised:
        check(fine | changes, "amd64")
    assert str(raised.value) == sentence
