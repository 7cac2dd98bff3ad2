"""Running a RunSpec and keeping what the runner reported."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from uuid_utils.compat import uuid7

from executions import documents, limits
from executions.runners.base import Connection, Control, Runner, RunOutcome, RunSpec, Stop

LIMITS = limits.Limits(
    timeout=20,
    memory=96 * 1024 * 1024,
    nano_cpus=1_000_000_000,
    input=32 * 1024 * 1024,
    output=1024 * 1024,
    log=1024 * 1024,
    log_lines=50_000,
    log_line=16 * 1024,
    written=32 * 1024 * 1024,
)


@dataclass
class Recorder:
    """A sink that remembers. `when_started` runs once the agent has started, in the runner's thread."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    handles: list[str] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    when_line: Callable[[str], None] = lambda text: None
    held: bool = True

    def fed(self) -> None:
        """Not of interest."""

    def started(self, handle: str) -> bool:
        self.handles.append(handle)
        return self.held

    def line(self, source: str, text: str, at: float) -> None:
        self.lines.append((source, text))
        self.when_line(text)

    def event(self, text: str) -> None:
        self.events.append(text)

    def connection(self, connection: Connection) -> None:
        self.connections.append(connection)

    @property
    def stdout(self) -> list[str]:
        return [text for source, text in self.lines if source == "stdout"]

    @property
    def stderr(self) -> list[str]:
        return [text for source, text in self.lines if source == "stderr"]


@dataclass
class Ran:
    """A run and its outcome."""

    outcome: RunOutcome
    sink: Recorder
    seconds: float

    @property
    def output(self) -> Any:
        assert self.outcome.output is not None, (self.outcome, self.sink)
        return documents.parse(self.outcome.output)


def run(
    runner: Runner,
    image: str,
    document: Any,
    *,
    sink: Recorder | None = None,
    control: Control | None = None,
    hosts: tuple[str, ...] = (),
    **changes: Any,
) -> Ran:
    """Run `image` on `document` with LIMITS changed by `changes`."""
    sink = sink or Recorder()
    control = control or Control()
    spec = RunSpec(uuid7(), 1, image, documents.dump(document), replace(LIMITS, **changes), hosts)
    began = time.monotonic()
    try:
        outcome = runner.run(spec, sink, control)
    finally:
        control.close()
    return Ran(outcome, sink, time.monotonic() - began)


def stop_after(control: Control, seconds: float, reason: Stop = Stop.CANCELLED) -> None:
    """Ask for a stop from another thread, a little later."""
    threading.Timer(seconds, control.stop, args=[reason]).start()
