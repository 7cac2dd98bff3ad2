"""What every runner offers: it takes a RunSpec, feeds a Sink, obeys a Control, and answers with a RunOutcome.

A runner knows nothing of users, purchases or tables.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, Protocol, runtime_checkable
from uuid import UUID

from executions.limits import Limits
from executions.runners.output_folder import OutputFolder


class Stop(StrEnum):
    """Why a run is to end early."""

    CANCELLED = "cancelled"
    SHUTDOWN = "shutdown"  # the worker is going down; another one will run it anew
    LOST = "lost"  # the execution belongs to a later attempt, or has ended


class Ending(StrEnum):
    """How a run ended."""

    EXITED = "exited"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    IMAGE = "image"  # missing, refused or not startable
    INFRASTRUCTURE = "infrastructure"  # the platform failed: try again, a few times
    UNAVAILABLE = "unavailable"  # no engine: wait for one
    SHUTDOWN = "shutdown"
    LOST = "lost"
    BAD_FILES = "bad_files"  # the result names files that cannot be taken


class Verdict(StrEnum):
    """What the proxy made of a connection."""

    ALLOWED = "allowed"
    REFUSED = "refused"  # not declared, or it leads inside
    FAILED = "failed"  # declared, but the host could not be reached


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection an agent made or tried. `at` is in seconds since 1970, when it ended; sizes in bytes."""

    at: float
    host: str
    port: int
    sent: int
    received: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """For pulling the image."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file for the agent: `size` bytes, under `name` in its folder. `open` gives the content from its beginning;
    what it raises goes through the runner."""

    name: str
    size: int
    open: Callable[[], IO[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One attempt to run an image or a module on an input. `hosts` (`name:port`) are what it may reach; none: it has
    no network. `runtime` names an OCI runtime, "" is the engine's own. `secrets` are
    values by name. With `gives_files` it gets a folder to leave files in. `room` is the memory that the node has beside
    all runs (bytes); None when that is not known."""

    execution_id: UUID
    attempt: int
    image: str  # repository@sha256:digest
    input: bytes
    limits: Limits
    hosts: tuple[str, ...] = ()
    runtime: str = ""
    gpus: int = 0
    module: str = ""  # SHA-256 of a WebAssembly module
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    registry: RegistryLogin | None = None
    files: tuple[InputFile, ...] = ()
    gives_files: bool = False
    room: int | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """`output` is the last line of standard output that is a JSON document; `message` a sentence when it went wrong.
    `folder` is where the agent left files; whoever takes the outcome closes it."""

    ending: Ending
    message: str = ""
    exit_code: int | None = None
    output: bytes | None = None
    folder: OutputFolder | None = None


class Sink(Protocol):
    """Where a run reports to, from the thread that runs it."""

    def started(self, handle: str) -> bool:
        """The agent runs; `handle` names its container. False: it must be stopped, it belongs to nobody any more."""

    def line(self, source: str, text: str, at: float) -> None:
        """A line of "stdout" or "stderr", seen at `at` (seconds since 1970)."""

    def fed(self) -> None:
        """The agent has its whole input: another worker may go on with it."""

    def event(self, text: str) -> None:
        """Something the platform did or saw."""

    def connection(self, connection: Connection) -> None:
        """A connection of the agent's ended or was refused. Comes from a thread of its own."""


class Control:
    """Tells a run to stop. Set from any thread; the run can select() on it, so that it wakes at once."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._lock = threading.Lock()
        self._reason: Stop | None = None
        self._closed = False

    @property
    def reason(self) -> Stop | None:
        return self._reason

    def stop(self, reason: Stop) -> None:
        """Ask the run to end. The first reason counts."""
        with self._lock:
            if self._reason is None and not self._closed:
                self._reason = reason
                self._sender.send(b"!")

    def fileno(self) -> int:
        return self._receiver.fileno()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._receiver.close()
            self._sender.close()


@dataclass(frozen=True, slots=True)
class Found:
    """A container of ours on an engine. `deadline` is in seconds since 1970."""

    handle: str
    execution_id: UUID
    attempt: int
    deadline: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the log has of a run already: the texts of each stream's lines in order, and of the platform's events."""

    stdout: tuple[str, ...]
    stderr: tuple[str, ...]
    events: tuple[str, ...]


@runtime_checkable
class Resuming(Protocol):
    """A runner that can go on with what another worker began."""

    def resume(
        self, spec: RunSpec, handle: str, seen: Seen, seconds: float, sink: Sink, control: Control
    ) -> RunOutcome:
        """Take over the container `handle`, which may run `seconds` more; otherwise as Runner.run."""


class Runner(Protocol):
    """An engine that runs agents. Its methods raise RunnerUnavailableError when the engine does not answer, and
    RunnerError when it refuses."""

    def probe(self) -> None:
        """Return at once when the engine seems to be there."""

    def describe(self) -> str:
        """The engine in a few words, for health checks."""

    def run(self, spec: RunSpec, sink: Sink, control: Control) -> RunOutcome:
        """Run to the end, whatever happens, and leave nothing behind. Raises nothing an agent or engine can cause."""

    def containers(self) -> list[Found]:
        """Every container of this installation on the engine, running or not."""

    def remove(self, handle: str) -> None:
        """Kill and remove a container; one that is gone already is no error."""
