"""The OCI runtimes of an engine: which it has, and what each can do.

An engine tells how its runtimes are registered and no more, so what gVisor can do is read from its arguments; of any
other runtime we assume that it does what containers do.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings

from executions.runners.base import Ending, RunOutcome, RunSpec
from executions.runners.docker.engine import Engine, engine_errors
from marketplace.catalogue.runtimes import title

REMEMBER_SECONDS = 60.0
# On the host gVisor has some tasks for itself and up to ten for each process of an agent; its own kernel has no limit.
_TASKS_OF_GVISOR, _TASKS_EACH = 64, 11
_GOES_DOWN = {2: "starts too many processes", 137: "uses more memory than it has"}


class RuntimeUnfitError(Exception):
    """This machine cannot run this under the runtime it must have; the message says why."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """`name` is as the engine knows it, "" its own. `network`: its containers can have one; `gpus`: and be given
    GPUs."""

    name: str = ""
    gvisor: bool = False
    network: bool = True
    gpus: bool = True

    def tasks(self, processes: int) -> int:
        """The engine's limit on tasks for an agent that may have so many processes."""
        return _TASKS_OF_GVISOR + _TASKS_EACH * processes if self.gvisor else processes

    def explain(self, outcome: RunOutcome) -> RunOutcome:
        """The outcome, with a sentence where gVisor rather than the agent may have ended it: at a limit of the machine
        it goes down with the agent and often leaves nothing but an exit code, which an agent may have too."""
        cause = _GOES_DOWN.get(outcome.exit_code or 0)
        if not self.gvisor or cause is None or outcome.ending != Ending.EXITED or outcome.output is not None:
            return outcome
        return replace(outcome, message=f"Under gVisor that is also how an agent ends that {cause}.")

    def check(self, spec: RunSpec) -> None:
        """Raise RuntimeUnfitError when the run asks for what this runtime cannot give."""
        missing = "network" if spec.hosts and not self.network else "GPU" if spec.gpus and not self.gpus else ""
        if missing:
            called = title(self.name) or "gVisor"
            raise RuntimeUnfitError(f"{called} gives agents no {missing} on this machine, which this version asks for.")


USUAL = Runtime()


class Runtimes:
    """Those of one engine, remembered for REMEMBER_SECONDS. Threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._until = 0.0
        self._known: dict[str, Runtime] = {}

    def of(self, spec: RunSpec) -> Runtime:
        """What the run is to be run under. Raises RuntimeUnfitError, EngineCallError, RunnerUnavailableError."""
        name = spec.runtime or settings.EXECUTION_RUNTIME
        if time.monotonic() > self._until or name not in self._known:
            with engine_errors():
                self._known = found(self._engine.client.info())
            self._until = time.monotonic() + REMEMBER_SECONDS
        runtime = self._known.get(name)
        if runtime is None:
            raise RuntimeUnfitError(f"This machine does not have the runtime {name}.")
        runtime.check(spec)
        return runtime


def found(info: Mapping[str, Any]) -> dict[str, Runtime]:
    """By name, from what the engine tells of itself; "" is the one it takes when none is named."""
    registered: Mapping[str, Mapping[str, Any]] = info.get("Runtimes") or {}
    known = {name: _runtime(name, how) for name, how in registered.items()}
    usual = str(info.get("DefaultRuntime") or "")
    known[""] = _runtime("", registered.get(usual) or {}, usual)
    return known


def _runtime(name: str, how: Mapping[str, Any], known_as: str = "") -> Runtime:
    program = PurePosixPath(str(how.get("path") or "")).name
    if not any(word.startswith("runsc") for word in (program, name, known_as)) and ".runsc." not in str(
        how.get("runtimeType") or ""
    ):
        return Runtime(name)
    given = " ".join(str(argument) for argument in how.get("runtimeArgs") or ()).replace("=", " ").split()
    flags = [word.lstrip("-") for word in given]
    pairs = {*pairwise(flags)}
    return Runtime(
        name,
        gvisor=True,
        network=("network", "none") not in pairs,
        gpus="nvproxy" in flags and ("nvproxy", "false") not in pairs,
    )
