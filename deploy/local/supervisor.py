"""Runs the Procfile's processes: prefixed output, restart after a crash, an orderly stop that leaves nothing behind."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

GRACE_SECONDS = 10.0
RESTARTS_IN = (3, 30.0)  # give up when a process ends more than 3 times within 30 s
_PR_SET_PDEATHSIG = 1


class ProcessError(RuntimeError):
    """A process kept ending; the message names it and its log."""


def die_with_parent(stop_signal: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """A preexec_fn by which Linux signals the child when we die, even by SIGKILL; None on other systems."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, stop_signal)

    return arrange


@dataclass(slots=True)
class Process:
    """One line of the Procfile and the child that runs it."""

    name: str
    command: str
    env: dict[str, str]
    log: Path
    echo: bool
    child: subprocess.Popen[bytes] | None = None
    ends: deque[float] = field(default_factory=deque)

    def start(self) -> None:
        """Start the child; a thread copies its output to the log and, if asked, to the terminal."""
        shell = f"exec {self.command}"
        self.child = subprocess.Popen(
            ["sh", "-c", shell],
            env=self.env | {"SERVICE": self.name},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        threading.Thread(target=self._copy, args=(self.child,), daemon=True).start()

    def _copy(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        with child.stdout, self.log.open("ab", buffering=0) as log:
            for line in child.stdout:
                log.write(line)
                if self.echo:
                    sys.stdout.write(f"{self.name:>9} | {line.decode('utf-8', 'replace')}")
                    sys.stdout.flush()

    def crashed_too_often(self) -> bool:
        """Count an unexpected end; true when there were too many lately."""
        limit, seconds = RESTARTS_IN
        now = time.monotonic()
        self.ends.append(now)
        while self.ends and self.ends[0] < now - seconds:
            self.ends.popleft()
        return len(self.ends) > limit


class Supervisor:
    """Starts processes, keeps them running until told to stop, then stops all of them."""

    def __init__(self, logs: Path, env: dict[str, str], *, echo: bool) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.logs = logs
        self.env = env
        self.echo = echo
        self.processes: list[Process] = []

    def load(self, procfile: Path) -> None:
        """Add every `name: command` line of a Procfile."""
        for line in procfile.read_text().splitlines():
            name, _, command = line.partition(":")
            if command and not name.lstrip().startswith("#"):
                self.processes.append(
                    Process(name.strip(), command.strip(), self.env, self.logs / f"{name.strip()}.log", self.echo)
                )

    def start(self) -> None:
        """Start every process."""
        for process in self.processes:
            process.start()

    def check(self) -> None:
        """Restart what ended unexpectedly; raise ProcessError when a process keeps ending."""
        for process in self.processes:
            if process.child is None or process.child.poll() is None:
                continue
            code = process.child.returncode
            if process.crashed_too_often():
                raise ProcessError(f"{process.name} keeps stopping (exit code {code}); its log is {process.log}.")
            print(f"{process.name} stopped (exit code {code}); starting it again.", flush=True)
            process.start()

    def stop(self) -> None:
        """Ask every process to stop, all at once; kill the process group of those that have not after a while."""
        running = [p.child for p in self.processes if p.child is not None and p.child.poll() is None]
        for child in running:
            # Only the main process: Celery's children must not see the signal, or its warm shutdown hangs.
            child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        for child in running:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def run(command: str, env: dict[str, str], log: Path) -> None:
    """Run a command to its end, output to `log`; ProcessError with the last lines when it fails."""
    with log.open("ab") as out:
        done = subprocess.run(
            shlex.split(command), env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
        )
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise ProcessError(f"`{command}` failed with exit code {done.returncode} (log: {log}):\n{tail}")
