"""Small images that behave as a test wants: each run carries its own script in the input."""

import base64
import io
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker

from deploy.agents.images import base
from deploy.agents.images.engine import Engine

# The input is {"script": <base64>, ...}; the whole document is left in /tmp/input for the script.
BOOTSTRAP = (
    "cat > /tmp/input; "
    r"""sed -n 's/.*"script":"\([^"]*\)".*/\1/p' /tmp/input | base64 -d > /tmp/script; exec sh /tmp/script"""
)
LABEL = "io.agentnexus.test"


def script(text: str, **more: Any) -> dict[str, Any]:
    """The input that makes the scripted image run `text` in a shell."""
    return {"script": base64.b64encode(text.encode()).decode(), **more}


def python(text: str, **more: Any) -> dict[str, Any]:
    """The same for a Python program."""
    encoded = base64.b64encode(text.encode()).decode()
    return script(f"echo {encoded} | base64 -d > /tmp/program.py; exec python3 /tmp/program.py", **more)


def ensure_base() -> str:
    """The agent base image, built when it is not there."""
    foundation = base.ensure(Engine.connect(), False)
    return foundation.name


@contextmanager
def built(client: docker.APIClient, repository: str, dockerfile: str) -> Iterator[str]:
    """An image from a Dockerfile without context, as `<repository>-<pid>@sha256:<image id>`; its tag is removed at the
    end. The process in the name keeps test runs on one engine apart."""
    repository = f"{repository}-{os.getpid()}"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        data = dockerfile.encode()
        info = tarfile.TarInfo("Dockerfile")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    archive.seek(0)
    for item in client.build(
        fileobj=archive,
        custom_context=True,
        tag=repository,
        rm=True,
        forcerm=True,
        nocache=True,  # a layer of another test's image could go with that image, while this one is being built on it
        decode=True,
        labels={LABEL: "1"},
        network_mode="none",
    ):
        if "error" in item:
            raise AssertionError(item["error"])
    try:
        yield f"{repository}@{client.inspect_image(repository)['Id']}"
    finally:
        _remove(client, repository)


def _remove(client: docker.APIClient, repository: str) -> None:
    """The engine stumbles at times when another process removes an image of the same layers; it is asked again."""
    for left in (2, 1, 0):
        try:
            client.remove_image(repository, force=True)
        except docker.errors.ImageNotFound:
            return
        except docker.errors.APIError as exc:
            if exc.status_code != 500 or not left:
                raise
            time.sleep(0.2)
        else:
            return
