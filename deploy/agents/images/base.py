"""Which Python the base image stands on, and the base image itself."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.agents.base import standin
from deploy.agents.images.contexts import read_context
from deploy.agents.images.engine import CONTENT_LABEL, Engine, Image
from deploy.agents.images.errors import ImageBuildError
from deploy.agents.images.lock import one_at_a_time

AGENTS = Path(__file__).parent.parent
REPOSITORY = "agentnexus/agent-base"
STANDIN_REPOSITORY = "agentnexus/python-standin"
PYTHON = "python:3.12-slim"
ORIGIN_LABEL = "io.agentnexus.python"


@dataclass(frozen=True, slots=True)
class Base:
    """The base image, `content` being the hash of what it was made from."""

    name: str
    image: Image
    content: str
    fresh: bool

    @property
    def origin(self) -> str:
        """The Python it stands on, for people."""
        return self.image.labels.get(ORIGIN_LABEL, "unknown")


def ensure(engine: Engine, refresh: bool = False) -> Base:
    """The base image, built if there is none of the same content.

    AGENT_BASE_IMAGE in the environment names a Python image to use instead of python:3.12-slim.
    """
    chosen = os.environ.get("AGENT_BASE_IMAGE", "")
    context = read_context(AGENTS, "base/Dockerfile")
    content = context.digest(chosen)
    name = f"{REPOSITORY}:{content[:12]}"
    with one_at_a_time():
        if not refresh and (found := engine.find_built(name, content)) is not None:
            return Base(name, found, content, fresh=False)
        python, origin = _chosen_python(engine, chosen) if chosen else _any_python(engine)
        labels = {CONTENT_LABEL: content, ORIGIN_LABEL: origin}
        return Base(name, engine.build(context, name, {"BASE_IMAGE": python}, labels, refresh), content, fresh=True)


def _chosen_python(engine: Engine, reference: str) -> tuple[str, str]:
    if engine.find(reference) is None and (reason := engine.pull(reference)) is not None:
        raise ImageBuildError(f"AGENT_BASE_IMAGE={reference} is not here and cannot be pulled: {reason}")
    return reference, reference


def _any_python(engine: Engine) -> tuple[str, str]:
    """python:3.12-slim if it is here or can be pulled within seconds, else a stand-in."""
    if engine.find(PYTHON) is not None:
        return PYTHON, PYTHON
    reason = engine.pull(PYTHON)
    if reason is None:
        return PYTHON, PYTHON
    try:
        return _standin(engine), "Debian packages"
    except ImageBuildError as error:
        raise ImageBuildError(
            f"{PYTHON} cannot be pulled ({reason}), and a stand-in cannot be made. {error} "
            "Or set AGENT_BASE_IMAGE to a Python image (3.11 or newer) that the engine already has."
        ) from None


def _standin(engine: Engine) -> str:
    source = read_context(AGENTS / "base", "standin.py")
    architecture = engine.architecture()
    tag = source.digest(architecture)[:12]
    name = f"{STANDIN_REPOSITORY}:{tag}"
    if engine.find(name) is None:
        _check_architecture(architecture)
        with tempfile.TemporaryDirectory(prefix="agentnexus-standin-") as folder:
            engine.load_root(standin.make(Path(folder)), STANDIN_REPOSITORY, tag, standin.CHANGES)
    return name


def _check_architecture(engine_architecture: str) -> None:
    try:
        answer = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return  # no Debian here: choosing the packages says so
    if answer.stdout.strip() != engine_architecture:
        raise ImageBuildError(
            f"This machine's packages are for {answer.stdout.strip()}, the Docker engine runs {engine_architecture}."
        )
