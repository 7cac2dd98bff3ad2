"""An agent's secrets as files in memory, mounted read-only into its container and gone after the run.

They are neither in the container's environment nor in anything else the engine shows or writes down. This needs a
worker that is root on the engine's own machine.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from executions.runners.base import Found, RunSpec
from executions.runners.docker.confinement import USER, instance

# Memory on every Linux: never written to a disk.
MEMORY = Path("/dev/shm")  # noqa: S108
HANDLE = "secrets:"


class SecretsUnavailableError(Exception):
    """This worker cannot give agents their secrets; the message says why."""


@contextmanager
def secret_files(spec: RunSpec, engine_url: str) -> Iterator[str | None]:
    """The folder on the host with a file for each secret; None when there are none. Raises SecretsUnavailableError."""
    if not spec.secrets:
        yield None
        return
    if os.geteuid() != 0 or not engine_url.startswith(("unix://", "http+unix://")):
        raise SecretsUnavailableError(
            "Agents with secrets need a worker that runs as root on the machine of its Docker engine."
        )
    folder = _root() / f"{spec.execution_id}_{spec.attempt}"
    try:
        _write(folder, spec.secrets)
        yield str(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def left_behind() -> list[Found]:
    """Folders of this installation on this machine. A worker that was killed leaves them to the reaper."""
    found = []
    for folder in _root().glob("*_*") if _root().is_dir() else ():
        execution, _, attempt = folder.name.partition("_")
        found.append(Found(f"{HANDLE}{folder.name}", UUID(execution), int(attempt), 0))
    return found


def remove(handle: str) -> None:
    """Remove a folder that `left_behind` named."""
    shutil.rmtree(_root() / Path(handle.removeprefix(HANDLE)).name, ignore_errors=True)


def _root() -> Path:
    return MEMORY / f"agentnexus-secrets-{instance()}"


def _write(folder: Path, secrets: Mapping[str, str]) -> None:
    uid, gid = map(int, USER.split(":"))
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    for name, value in secrets.items():
        path = folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            os.fchown(descriptor, uid, gid)
            file.write(value.encode())
    os.chown(folder, uid, gid)
    folder.chmod(0o500)
