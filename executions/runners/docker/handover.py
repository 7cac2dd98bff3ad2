"""What a run is handed beside its input, and where it may leave files: a folder in memory, gone after the run.

Secrets and input files are mounted read-only. Where files go in or out, a tmpfs of its own bounds how much and how
many. Nothing of it is in the container's environment, in what the engine shows, or on a disk. This needs a worker that
is root on the engine's own machine.
"""

import ctypes
import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

import docker

from executions.runners.base import Ending, Found, InputFile, RunOutcome, RunSpec
from executions.runners.docker.confinement import LABEL, USER, instance
from executions.runners.docker.engine import engine_errors
from executions.runners.output_folder import OutputFolder

# Memory on every Linux: never written to a disk.
MEMORY = Path("/dev/shm")  # noqa: S108
HANDLE = "folder:"
# Files and folders an agent may leave, and what the file system itself takes.
MOST_ENTRIES = 512
_OVERHEAD = 1024 * 1024
_CHUNK = 256 * 1024
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MNT_DETACH = 2, 4, 8, 2
_UID, _GID = map(int, USER.split(":"))
_libc = ctypes.CDLL(None, use_errno=True)


class HandoverError(Exception):
    """This worker cannot hand over secrets or files; the message says why."""


class Handover:
    """The folder of one run, from `with` to the end of it. `secrets`, `inputs` and `outputs` are folders on the host to
    mount, None where there is nothing. Entering raises HandoverError."""

    def __init__(self, spec: RunSpec, engine_url: str) -> None:
        self._spec = spec
        self._local = engine_url.startswith(("unix://", "http+unix://"))
        self._folder = _root() / f"{spec.execution_id}_{spec.attempt}"
        self._left = False
        self.secrets: str | None = None
        self.inputs: str | None = None
        self.outputs: str | None = None

    def __enter__(self) -> Self:
        spec = self._spec
        if not (spec.secrets or spec.files or spec.gives_files):
            return self
        if os.geteuid() != 0 or not self._local:
            raise HandoverError(
                "Agents with secrets or files need a worker that runs as root on the machine of its Docker engine."
            )
        try:
            self._fill()
        except BaseException:
            _discard(self._folder)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._left:
            _discard(self._folder)

    def leave(self) -> None:
        """Leave the folder where it is: another worker goes on with the run, or the reaper takes it."""
        self._left = True

    def _fill(self) -> None:
        spec, folder = self._spec, self._folder
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        present = folder.parent.lstat()
        # Anybody on this machine may make folders there.
        if not stat.S_ISDIR(present.st_mode) or present.st_uid != 0 or present.st_mode & 0o077:
            raise HandoverError(f"{folder.parent} is not this worker's own; remove it.")
        folder.mkdir(mode=0o700)
        if spec.secrets:
            self.secrets = _write_secrets(folder / "secrets", spec.secrets)
        if spec.files or spec.gives_files:
            files = folder / "files"
            files.mkdir(mode=0o700)
            room = sum(_pages(file.size) for file in spec.files) + (spec.limits.files if spec.gives_files else 0)
            _mount(files, room + _OVERHEAD, MOST_ENTRIES + len(spec.files))
            self.inputs = _write_files(files / "in", spec.files)
            self.outputs = _own_folder(files / "out", 0o700) if spec.gives_files else None


def with_folder(outcome: RunOutcome, spec: RunSpec, attempt: int) -> RunOutcome:
    """The outcome of a run that ended well, with the files that the agent of this attempt left."""
    if not spec.gives_files or outcome.ending != Ending.EXITED or outcome.exit_code != 0:
        return outcome
    try:
        folder = OutputFolder(_root() / f"{spec.execution_id}_{attempt}" / "files" / "out")
    except OSError:
        return RunOutcome(Ending.INFRASTRUCTURE, "The files that the agent left are gone.")
    return replace(outcome, folder=folder)


def attempt_of(client: docker.APIClient, container: str) -> int:
    """The attempt that a container and its folder were made for; 0 for one that waited, which has no folder."""
    with engine_errors():
        labels = client.inspect_container(container)["Config"]["Labels"]
    return int(labels.get(f"{LABEL}.attempt", "0"))


def left_behind() -> list[Found]:
    """Folders of this installation on this machine. A worker that was killed leaves them to the reaper."""
    found = []
    for folder in _root().glob("*_*") if _root().is_dir() else ():
        execution, _, attempt = folder.name.partition("_")
        found.append(Found(f"{HANDLE}{folder.name}", UUID(execution), int(attempt), 0))
    return found


def remove(handle: str) -> None:
    """Remove a folder that `left_behind` named."""
    _discard(_root() / Path(handle.removeprefix(HANDLE)).name)


def forget(execution_id: UUID, attempt: int) -> None:
    """Remove the folder of this attempt, if there is one."""
    _discard(_root() / f"{execution_id}_{attempt}")


def _root() -> Path:
    return MEMORY / f"agentnexus-run-{instance()}"


def _discard(folder: Path) -> None:
    # What the agent wrote goes with its file system: nothing of ours ever walks through it.
    with suppress(OSError):
        _unmount(folder / "files")
    shutil.rmtree(folder, ignore_errors=True)


def _write_secrets(folder: Path, secrets: Mapping[str, str]) -> str:
    folder.mkdir(mode=0o700)
    for name, value in secrets.items():
        with _new_file(folder / name) as file:
            file.write(value.encode())
    return _own_folder(folder, 0o500)


def _write_files(folder: Path, files: tuple[InputFile, ...]) -> str | None:
    if not files:
        return None
    folder.mkdir(mode=0o700)
    for one in files:
        left = one.size
        with one.open() as source, _new_file(folder / one.name) as file:
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                file.write(chunk)
        if left != 0:
            raise HandoverError("A file of the input is not what it was when it was uploaded.")
    return _own_folder(folder, 0o500)


def _new_file(path: Path) -> BinaryIO:
    """A new file that only the agent may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
    os.fchown(descriptor, _UID, _GID)
    return os.fdopen(descriptor, "wb")


def _own_folder(folder: Path, mode: int) -> str:
    folder.mkdir(mode=0o700, exist_ok=True)
    os.chown(folder, _UID, _GID)
    folder.chmod(mode)
    return str(folder)


def _pages(size: int) -> int:
    return -(-size // 4096) * 4096


def _mount(folder: Path, size: int, entries: int) -> None:
    options = f"size={size},nr_inodes={entries},mode=0700"
    flags = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
    if _libc.mount(b"agentnexus", os.fsencode(folder), b"tmpfs", flags, options.encode()) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise HandoverError(f"Agents with files need a worker that may mount memory (CAP_SYS_ADMIN): {reason}.")


def _unmount(folder: Path) -> None:
    if _libc.umount2(os.fsencode(folder), _MNT_DETACH) != 0:
        raise OSError(ctypes.get_errno(), "umount2")
