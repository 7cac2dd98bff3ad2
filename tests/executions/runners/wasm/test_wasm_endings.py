"""Every way the run of a module can end, in real processes of the sandbox."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from executions import documents
from executions.runners.base import Control, Ending, RunSpec, Stop
from executions.runners.wasm import WasmRunner
from tests.executions.conftest import eventually
from tests.executions.runners.recording import LIMITS, Ran, Recorder
from tests.executions.runners.wasm import modules
from tests.executions.runners.wasm.modules import WRITE, exit_with, module, say, text

FUEL = 20_000_000_000


class Shelf(dict[str, bytes]):
    """A storage of modules."""

    def put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self[digest] = content
        return digest

    def fetch(self, digest: str) -> bytes:
        if digest not in self:
            raise FileNotFoundError(digest)
        return self[digest]


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(scope="module")
def runner(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WasmRunner]:
    runner = WasmRunner(tmp_path_factory.mktemp("compiled"), shelf.fetch, fuel=FUEL, ready=1)
    yield runner
    runner.close()


@pytest.fixture
def run(runner: WasmRunner, shelf: Shelf) -> Any:
    default = runner

    def run(
        content: bytes,
        document: Any = None,
        *,
        sink: Recorder | None = None,
        control: Control | None = None,
        runner: WasmRunner = default,
        **limits: Any,
    ) -> Ran:
        sink, control = sink or Recorder(), control or Control()
        digest = shelf.put(content) if content else "0" * 64
        spec = RunSpec(uuid7(), 1, "", documents.dump(document), replace(LIMITS, **limits), module=digest)
        began = time.monotonic()
        try:
            return Ran(runner.run(spec, sink, control), sink, time.monotonic() - began)
        finally:
            control.close()

    return run


def test_input_comes_back_as_the_result(run: Any) -> None:
    ran = run(modules.ECHO, {"text": "größer 😀"})
    assert (ran.outcome.ending, ran.outcome.exit_code, ran.output) == (Ending.EXITED, 0, {"text": "größer 😀"})
    assert len(ran.sink.handles) == 1


def test_lines_and_result_are_told_apart(run: Any) -> None:
    talk = module(
        say(0) + say(100, 2) + say(200) + say(300),
        WRITE,
        *(text(0, "out\n"), text(100, "err\n"), text(200, '{"ok": true}\n'), text(300, "last\n")),
    )
    ran = run(talk)
    assert (ran.outcome.ending, ran.output) == (Ending.EXITED, {"ok": True})
    assert (ran.sink.stdout, ran.sink.stderr) == (["out", "last"], ["err"])


def test_lines_arrive_while_it_runs(run: Any) -> None:
    control = Control()
    sink = Recorder(when_line=lambda line: control.stop(Stop.CANCELLED))
    ran = run(modules.TALKING_LOOP, sink=sink, control=control)
    assert (ran.outcome.ending, sink.stdout) == (Ending.CANCELLED, ["begun"])
    assert ran.seconds < 10


@pytest.mark.parametrize(
    ("content", "limits", "ending", "code", "message"),
    [
        (module(exit_with(5), modules.EXIT), {}, Ending.EXITED, 5, ""),
        (modules.TRAP, {}, Ending.EXITED, 134, "The module was stopped: wasm `unreachable` instruction executed."),
        (modules.ENDLESS_CALLS, {}, Ending.EXITED, 134, "The module was stopped: call stack exhausted."),
        (modules.LOOP, {"timeout": 1}, Ending.TIMED_OUT, None, "The agent ran longer than the 1 seconds it has."),
        (modules.HUNGRY, {}, Ending.OUT_OF_MEMORY, 134, "The agent used more than the 96 MiB of memory it has."),
        (modules.FLOOD, {}, Ending.OUTPUT_LIMIT, None, "The agent wrote more than 32 MiB."),
        (
            modules.LOOP,
            {"timeout": 60, "nano_cpus": 10_000_000},
            Ending.TIMED_OUT,
            None,
            "The agent used up the processor time it has.",
        ),
    ],
    ids=["exit", "trap", "stack", "loop", "memory", "flood", "processor"],
)
@pytest.mark.slow
def test_it_ends_in_the_right_way(
    run: Any, content: bytes, limits: dict[str, Any], ending: Ending, code: int | None, message: str
) -> None:
    ran = run(content, **limits)
    assert (ran.outcome.ending, ran.outcome.exit_code, ran.outcome.message) == (ending, code, message)
    assert ran.outcome.output is None


def test_instructions_are_counted(run: Any, shelf: Shelf, tmp_path: Path) -> None:
    thrifty = WasmRunner(tmp_path, shelf.fetch, fuel=1_000_000, ready=0)
    ran = run(modules.LOOP, runner=thrifty)
    thrifty.close()
    assert (ran.outcome.ending, ran.outcome.message) == (
        Ending.TIMED_OUT,
        "The agent used up the instructions it may spend.",
    )


def test_memory_within_the_limit_can_be_used(run: Any) -> None:
    ran = run(modules.MODERATE, memory=300 * 1024 * 1024)
    assert (ran.outcome.ending, ran.outcome.exit_code, ran.output) == (Ending.EXITED, 0, {})


def test_input_that_nobody_reads_holds_up_nothing(run: Any) -> None:
    ran = run(module(say(0), WRITE, text(0, "{}\n")), "x" * 10_000_000)
    assert (ran.outcome.ending, ran.output) == (Ending.EXITED, {})


@pytest.mark.parametrize(
    ("reason", "ending"),
    [(Stop.CANCELLED, Ending.CANCELLED), (Stop.SHUTDOWN, Ending.SHUTDOWN), (Stop.LOST, Ending.LOST)],
)
def test_stopped_before_it_began(run: Any, reason: Stop, ending: Ending) -> None:
    control = Control()
    control.stop(reason)
    assert run(modules.LOOP, control=control).outcome.ending == ending


def test_what_belongs_to_nobody_is_stopped(run: Any) -> None:
    assert run(modules.LOOP, sink=Recorder(held=False)).outcome.ending == Ending.LOST


def test_its_process_is_gone_afterwards(run: Any) -> None:
    ran = run(modules.ECHO, {})
    pid = int(ran.sink.handles[0].removeprefix("wasm-"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    ("number", "ending", "code"),
    [(signal.SIGABRT, Ending.EXITED, 134), (signal.SIGKILL, Ending.INFRASTRUCTURE, None)],
)
def test_a_killed_process_harms_nothing_but_its_run(run: Any, number: int, ending: Ending, code: int | None) -> None:
    sink = Recorder(when_line=lambda line: os.kill(int(sink.handles[0].removeprefix("wasm-")), number))
    ran = run(modules.TALKING_LOOP, sink=sink)
    assert (ran.outcome.ending, ran.outcome.exit_code) == (ending, code)
    assert run(modules.ECHO, {"still": "there"}).output == {"still": "there"}


def test_a_module_that_is_gone(run: Any) -> None:
    outcome = run(b"").outcome
    assert (outcome.ending, outcome.message) == (
        Ending.IMAGE,
        "The module is not in the platform's storage any more.",
    )


def test_compiled_once(run: Any) -> None:
    content = module(say(0), WRITE, text(0, '"compiled once"\n'))
    assert run(content).sink.events == ["Preparing the module for its first run on this worker"]
    assert run(content).sink.events == []


def test_waiting_processes_end_with_the_worker(tmp_path: Path) -> None:
    runner = WasmRunner(tmp_path, lambda digest: b"", fuel=FUEL, ready=2)
    runner.prepare()
    waiting = [runner._ready.take() for _ in range(2)]
    # when the worker's end of the socket closes, as it does when the worker is killed
    for process in waiting:
        process.control.close()
    # then they end by themselves
    eventually(lambda: all(process.child.poll() is not None for process in waiting))
    for process in waiting:
        process.end()
    runner.close()
