"""The examples in Node.js and shell, as images in the platform's own containers."""

import hashlib
import json
from typing import Any

import pytest

from executions import limits
from executions.runners.base import Ending
from executions.runners.docker import DockerRunner
from tests.executions import example_images
from tests.executions.runners.recording import Ran, run

pytestmark = pytest.mark.docker
DOCUMENT = {"text": "ababa 😀"}


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Labels name the installation by its database."""


def ran(runner: DockerRunner, language: str, document: Any) -> Ran:
    usual = limits.current()
    image = example_images.ensure(language)
    return run(runner, image, document, memory=usual.memory, nano_cpus=usual.nano_cpus)


def test_node(runner: DockerRunner) -> None:
    done = ran(runner, "node", DOCUMENT)

    assert done.output == {"characters": 7, "common": {"a": 3, "b": 2, " ": 1, "😀": 1}}, done
    assert (done.outcome.ending, done.outcome.exit_code) == (Ending.EXITED, 0)
    assert done.sink.stderr == ["Read 7 characters", "Found 4 different ones"]


def test_shell(runner: DockerRunner) -> None:
    done = ran(runner, "shell", DOCUMENT)

    sent = json.dumps(DOCUMENT, ensure_ascii=False, separators=(",", ":")).encode()
    assert done.output == {"bytes": len(sent), "sha256": hashlib.sha256(sent).hexdigest()}, done
    assert (done.outcome.ending, done.outcome.exit_code) == (Ending.EXITED, 0)
    assert done.sink.stderr == [f"Read {len(sent)} bytes", "Hashed them"]


def test_a_refusal_is_the_agents_own(runner: DockerRunner) -> None:
    done = ran(runner, "shell", ["no object"])

    assert (done.outcome.ending, done.outcome.exit_code, done.outcome.output) == (Ending.EXITED, 2, None)
    assert done.sink.stderr[-1] == "error: The input must be a JSON object."
