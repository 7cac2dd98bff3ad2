"""The docker command: the engine, its images, and the container of one run."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentnexus_agent.local.errors import LocalError
from agentnexus_agent.local.limits import Limits
from agentnexus_agent.local.sandbox import Given, create_arguments

CALL_SECONDS = 60
_NO_ENGINE = (
    "No Docker engine answers ({reason}). Start it, or set DOCKER_HOST. For a Python agent, --no-sandbox runs it "
    "without any walls."
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended."""

    code: int
    out_of_memory: bool


def require_engine() -> None:
    """Raises LocalError that says what to do where there is no engine."""
    answer = _docker("version", "--format", "{{.Server.Version}}")
    if answer.returncode != 0:
        raise LocalError(_NO_ENGINE.format(reason=_reason(answer)))


def find_image(reference: str) -> dict[str, Any]:
    """The engine's description of the image, pulled where it is not here. Raises LocalError."""
    found = _inspect_image(reference)
    if found is None:
        pulled = _docker("pull", reference, seconds=None)
        if pulled.returncode != 0:
            raise LocalError(f"There is no image {reference} here, and it cannot be pulled: {_reason(pulled)}")
        found = _inspect_image(reference)
    if found is None:
        raise LocalError(f"There is no image {reference} here.")
    config = found.get("Config") or {}
    if not (config.get("Entrypoint") or config.get("Cmd")):
        raise LocalError(f"The image {reference} says no command to run: set ENTRYPOINT or CMD in its Dockerfile.")
    return found


def build(folder: Path) -> str:
    """Build the folder's Dockerfile; the image's id. Raises LocalError with the end of the build's output."""
    answer = _docker("build", "--quiet", str(folder), seconds=None)
    if answer.returncode != 0:
        lines = [line for line in (answer.stdout + answer.stderr).splitlines() if line.strip()]
        said = "\n  ".join(lines[-15:])
        raise LocalError(f"{folder / 'Dockerfile'} cannot be built. The end of the output:\n  {said}")
    return answer.stdout.split()[-1]


@contextmanager
def container(image: dict[str, Any], limits: Limits, given: Given) -> Iterator[str]:
    """A container that was created and is removed afterwards, whatever happens; its name. Raises LocalError."""
    name = f"agentnexus-local-{os.getpid()}-{secrets.token_hex(4)}"
    volumes = sorted((image.get("Config") or {}).get("Volumes") or {})
    try:
        created = _docker(*create_arguments(image["Id"], name, limits, volumes, given))
        if created.returncode != 0:
            raise LocalError(f"The container could not be made: {_reason(created)}")
        yield name
    finally:
        remove(name)


def start_command(name: str) -> list[str]:
    """Starts the container with its streams attached, and ends with its exit code."""
    return ["docker", "start", "--attach", "--interactive", name]


def ended(name: str) -> Ended:
    """Raises LocalError when the container never started."""
    answer = _docker("inspect", "--format", "{{json .State}}", name)
    if answer.returncode != 0:
        raise LocalError(f"The container is gone: {_reason(answer)}")
    state = json.loads(answer.stdout)
    if state.get("Status") == "created":
        _, _, reason = str(state.get("Error") or "the engine gives no reason").rpartition("process caused: ")
        raise LocalError(f"The image's command could not be started: {reason}")
    return Ended(int(state["ExitCode"]), bool(state.get("OOMKilled")))


def remove(name: str) -> None:
    """Kill and remove the container; one that is gone is no error."""
    with suppress(LocalError):
        _docker("rm", "--force", "--volumes", name)


def _inspect_image(reference: str) -> dict[str, Any] | None:
    answer = _docker("image", "inspect", reference)
    if answer.returncode != 0:
        return None
    found: dict[str, Any] = json.loads(answer.stdout)[0]
    return found


def _docker(*arguments: str, seconds: float | None = CALL_SECONDS) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=seconds)
    except FileNotFoundError:
        raise LocalError(_NO_ENGINE.format(reason="there is no docker command on the PATH")) from None
    except subprocess.TimeoutExpired:
        raise LocalError(f"The Docker engine did not answer `docker {arguments[0]}` within {seconds:.0f} s.") from None


def _reason(answer: subprocess.CompletedProcess[str]) -> str:
    """The last line of what docker said, without its own name for itself."""
    lines = [line for line in (answer.stderr or answer.stdout).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("Run 'docker", "See 'docker"))]
    text = (lines or [f"docker ended with {answer.returncode}"])[-1].strip()
    return text.removeprefix("Error response from daemon: ").removeprefix("ERROR: ").rstrip(".")
