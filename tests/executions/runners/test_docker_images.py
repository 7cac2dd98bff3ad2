"""Images that come from a registry, and images that go away."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import docker
import docker.errors
import pytest
from pytest_django import Settings

from executions.runners.base import Ending, Found
from executions.runners.docker import DockerRunner, hot, pulling
from executions.runners.docker.confinement import LABEL
from executions.runners.docker.images import check
from executions.runners.docker.pulling import ImageUnusableError
from tests.executions import images
from tests.executions.conftest import eventually
from tests.executions.images import script
from tests.executions.runners.recording import run
from tests.executions.runners.registry import Registry, serving, serving_layer

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


def test_no_word_of_an_answer_is_shown(runner: DockerRunner, registry: Registry) -> None:
    """Strangers choose whom the engine asks."""
    registry.status, registry.body = 500, b"AKIA-something-inside"
    ran = run(runner, f"{registry.address}/sample/agent@sha256:{'0' * 64}", {})
    assert ran.outcome.message == (
        f"The image {registry.address}/sample/agent could not be pulled: "
        "its registry, or the engine, cannot make sense of it."
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1"])
def test_registries_inside_are_asked_only_where_the_settings_say_so(
    runner: DockerRunner, settings: Settings, host: str
) -> None:
    settings.EXECUTION_PRIVATE_REGISTRIES = ["127.0.0.1:1"]
    reference = f"{host}:5000/a/b@sha256:{'0' * 64}"
    ran = run(runner, reference, {})
    assert (ran.outcome.ending, ran.outcome.message) == (
        Ending.IMAGE,
        f"The registry {host}:5000 is inside a network, not on the internet.",
    )


@pytest.mark.parametrize("content", [os.urandom(6 * 1024**2), bytes(60 * 1024**2)], ids=["announced", "unpacked"])
def test_one_that_is_too_large_takes_no_room(
    runner: DockerRunner, engine: docker.APIClient, settings: Settings, content: bytes
) -> None:
    """Nobody waits for what says how large it is; what only turns out to be is removed."""
    settings.EXECUTION_IMAGE_BYTES = 4 * 1024**2
    slowly = content[:1] != b"\0"
    with serving_layer(content, slowly=slowly) as registry:
        ran = run(runner, registry.reference, {})
        assert (ran.outcome.ending, "allowed." in ran.outcome.message) == (Ending.IMAGE, True)
        assert not slowly or registry.hung_up.wait(5)
    with pytest.raises(docker.errors.ImageNotFound):
        engine.inspect_image(registry.reference)


def test_a_full_disk_ends_a_pull(
    runner: DockerRunner, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "LEAST_FREE", 2**60)
    with serving_layer(os.urandom(1024**2)) as registry:
        ran = run(runner, registry.reference, {})
    assert (ran.outcome.ending, ran.outcome.message) == (Ending.IMAGE, "The machine has no room for the image.")
    with pytest.raises(docker.errors.ImageNotFound):
        engine.inspect_image(registry.reference)


def test_a_registry_that_never_answers_keeps_no_thread(
    runner: DockerRunner, silent_registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "PULL_WITHIN", timedelta(seconds=0.5))
    ran = run(runner, f"{silent_registry}/a/b@sha256:{'0' * 64}", {})
    assert ran.outcome.message == "The image did not arrive within 0 minutes."
    eventually(lambda: not any(thread.name == "pull" for thread in threading.enumerate()))


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
