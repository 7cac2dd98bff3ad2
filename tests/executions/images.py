"""Small images that behave as a test wants: each run carries its own script in the input."""

import base64
import io
import os
import tarfile
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
        decode=True,
        labels={LABEL: "1"},
        network_mode="none",
    ):
        if "error" in item:
            raise AssertionError(item["error"])
    try:
        yield f"{repository}@{client.inspect_image(repository)['Id']}"
    finally:
        client.remove_image(repository, force=True)
