"""Runs one module in one process, once."""

import json
import os
import selectors
import signal
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from executions.runners.base import Control, Ending, Found, RunOutcome, RunSpec, Sink, Stop
from executions.runners.transcript import STDERR, STDOUT, Transcript
from executions.runners.wasm.modules import Fetch, Modules, ModuleUnusableError
from executions.runners.wasm.processes import Process, Ready
from executions.wasm_sandbox.protocol import READY, Job

log = structlog.get_logger(__name__)

CHUNK = 256 * 1024
# The sandbox interrupts the guest at the deadline; one that does not even do that is killed this much later (seconds).
GRACE = 2.0
_STOPPED = {
    Stop.CANCELLED: RunOutcome(Ending.CANCELLED, "Cancelled."),
    Stop.SHUTDOWN: RunOutcome(Ending.SHUTDOWN, "The worker was shut down."),
    Stop.LOST: RunOutcome(Ending.LOST),
}


class WasmRunner:
    """A Runner for WebAssembly. Threads may share it.

    `fetch` gives a module's content by its SHA-256; `fuel` is how many instructions a run may spend; `ready` processes
    are kept waiting.
    """

    def __init__(self, folder: Path, fetch: Fetch, *, fuel: int, ready: int) -> None:
        self._modules = Modules(folder, fetch)
        self._ready = Ready(ready)
        self._fuel = fuel

    def probe(self) -> None:
        """It needs nothing but this machine."""

    def describe(self) -> str:
        return "WebAssembly"

    def prepare(self) -> None:
        """Start the waiting processes now instead of after the first run."""
        self._ready.fill()

    def close(self) -> None:
        self._ready.close()

    def run(self, spec: RunSpec, sink: Sink, control: Control) -> RunOutcome:
        try:
            compiled = self._modules.open(spec.module, sink.event)
        except ModuleUnusableError as exc:
            return RunOutcome(Ending.IMAGE, str(exc))
        except OSError as exc:
            log.warning("module_not_had", execution_id=str(spec.execution_id), error=str(exc))
            return RunOutcome(Ending.INFRASTRUCTURE, "The platform could not read the module.")
        process = self._ready.take()
        try:
            if control.reason is not None:
                return _STOPPED[control.reason]
            return _Run(process, spec, sink, control).perform(self._job(spec), compiled)
        finally:
            os.close(compiled)
            process.end()

    def containers(self) -> list[Found]:
        """None: its processes end with the worker."""
        return []

    def remove(self, handle: str) -> None:
        """Nothing to remove."""

    def _job(self, spec: RunSpec) -> Job:
        limits = spec.limits
        cpu = max(int(limits.timeout * limits.nano_cpus / 1e9), 1) + 1
        return Job(timeout=limits.timeout, memory=limits.memory, cpu_seconds=cpu, fuel=self._fuel)


class _Run:
    """The conversation with one process."""

    def __init__(self, process: Process, spec: RunSpec, sink: Sink, control: Control) -> None:
        self._process = process
        self._spec = spec
        self._sink = sink
        self._control = control
        self._transcript = Transcript(spec.limits, sink.line, sink.event)
        self._input = memoryview(spec.input)
        self._report = bytearray()

    def perform(self, job: Job, compiled: int) -> RunOutcome:
        process = self._process
        deadline = time.monotonic() + job.timeout
        try:
            socket.send_fds(process.control, [json.dumps(asdict(job)).encode()], [compiled])
        except OSError as exc:
            log.warning("sandbox_died", execution_id=str(self._spec.execution_id), error=str(exc))
            return RunOutcome(Ending.INFRASTRUCTURE, "The platform failed to run the agent.")
        if not self._sink.started(f"wasm-{process.child.pid}"):
            return _STOPPED[Stop.LOST]
        early = self._converse(deadline)
        output = self._transcript.close()
        if self._transcript.overflow is not None:
            return RunOutcome(Ending.OUTPUT_LIMIT, self._transcript.overflow)
        return early or self._judge(output)

    def _converse(self, deadline: float) -> RunOutcome | None:
        """Carry bytes until the process has closed its ends; an outcome when it must end before that."""
        process = self._process
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdin, selectors.EVENT_WRITE)
            for source, pipe in ((STDOUT, process.stdout), (STDERR, process.stderr)):
                selector.register(pipe, selectors.EVENT_READ, source)
            selector.register(process.control, selectors.EVENT_READ)
            selector.register(self._control, selectors.EVENT_READ)
            open_ends = 3
            while open_ends:
                if self._control.reason is not None:
                    return _STOPPED[self._control.reason]
                if self._transcript.overflow is not None:
                    return None
                left = deadline + GRACE - time.monotonic()
                if left <= 0:
                    return _timed_out(self._spec)
                for key, _ in selector.select(left):
                    if key.fileobj is process.stdin:
                        self._write(selector)
                    elif key.fileobj is process.control:
                        open_ends -= self._hear(selector)
                    elif key.data is not None:
                        open_ends -= self._read(selector, key.fileobj, key.data)
        return None

    def _write(self, selector: selectors.BaseSelector) -> None:
        stdin = self._process.stdin
        try:
            if self._input:
                self._input = self._input[os.write(stdin.fileno(), self._input[:CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:  # the guest ended, or closed its input, without reading it all
            self._input = self._input[:0]
        if not self._input:
            selector.unregister(stdin)
            stdin.close()

    def _read(self, selector: selectors.BaseSelector, pipe: Any, source: str) -> bool:
        """True when that end is closed."""
        try:
            data = os.read(pipe.fileno(), CHUNK)
        except BlockingIOError:
            return False
        if data:
            self._transcript.feed(source, data)
            return False
        selector.unregister(pipe)
        return True

    def _hear(self, selector: selectors.BaseSelector) -> bool:
        try:
            data = self._process.control.recv(4096)
        except OSError:
            data = b""
        self._report += data
        if not data:
            selector.unregister(self._process.control)
        return not data

    def _judge(self, output: bytes | None) -> RunOutcome:
        said = bytes(self._report).removeprefix(READY)
        if not said:
            return self._crashed()
        report = json.loads(said)
        code, message, memory = report["code"], report["message"], report["memory"]
        match report["ending"]:
            case "timed_out":
                return _timed_out(self._spec)
            case "out_of_fuel":
                return RunOutcome(Ending.TIMED_OUT, "The agent used up the instructions it may spend.")
            case "unusable":
                return RunOutcome(Ending.IMAGE, f"The module could not be started: {message}")
        # The engine refuses memory beyond the limit, and the guest goes to pieces; nothing says so but the size it had.
        if code != 0 and memory > self._spec.limits.memory * 3 // 4:
            return RunOutcome(Ending.OUT_OF_MEMORY, _out_of_memory(self._spec), exit_code=code)
        if report["ending"] == "trapped":
            return RunOutcome(Ending.EXITED, f"The module was stopped: {message}.", exit_code=code)
        return RunOutcome(Ending.EXITED, exit_code=code, output=output)

    def _crashed(self) -> RunOutcome:
        """The process ended without a word: killed by a limit, or the engine failed."""
        code = self._process.child.wait()  # its streams are closed, so it is ending
        if code == -signal.SIGXCPU:
            return RunOutcome(Ending.TIMED_OUT, "The agent used up the processor time it has.")
        if code == -signal.SIGKILL:  # not by us: the machine is short of memory, or somebody did it by hand
            return RunOutcome(Ending.INFRASTRUCTURE, "The agent's process was killed.")
        return RunOutcome(Ending.EXITED, "The module's sandbox ended unexpectedly.", exit_code=128 - min(code, 0))


def _timed_out(spec: RunSpec) -> RunOutcome:
    return RunOutcome(Ending.TIMED_OUT, f"The agent ran longer than the {spec.limits.timeout} seconds it has.")


def _out_of_memory(spec: RunSpec) -> str:
    return f"The agent used more than the {spec.limits.memory // 1_048_576} MiB of memory it has."
