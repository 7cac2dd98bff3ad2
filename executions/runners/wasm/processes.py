"""Processes of the sandbox, started ahead of time: loading the engine takes a fifth of a second, running a module one
thousandth of that."""

import os
import queue
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[3]
_BOOTSTRAP = (
    "import sys, runpy; sys.path.insert(0, sys.argv[1]); "
    "runpy.run_module('executions.wasm_sandbox', run_name='__main__')"
)


def command(*mode: str) -> list[str]:
    """The sandbox's command line: isolated from the environment and the user's own packages."""
    return [sys.executable, "-I", "-c", _BOOTSTRAP, str(ROOT), *mode]


@dataclass(frozen=True, slots=True)
class Process:
    """A process that waits for its one job."""

    child: "subprocess.Popen[bytes]"
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]
    control: socket.socket

    def end(self) -> int:
        """Kill it if it lives, close everything, and return its exit code (negative: the signal)."""
        self.child.kill()
        code = self.child.wait()
        for end in (self.stdin, self.stdout, self.stderr, self.control):
            end.close()
        return code


def start() -> Process:
    """Start a process; it gets ready by itself."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = subprocess.Popen(
            command("run", str(theirs.fileno())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={},
            cwd="/",
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    assert child.stdin  # noqa: S101  all three are pipes
    assert child.stdout  # noqa: S101
    assert child.stderr  # noqa: S101
    for pipe in (child.stdin, child.stdout, child.stderr):
        os.set_blocking(pipe.fileno(), False)
    return Process(child, child.stdin, child.stdout, child.stderr, ours)


class Ready:
    """Keeps `count` processes waiting; each is used once. They end by themselves when this process does."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: queue.SimpleQueue[Process] = queue.SimpleQueue()
        self._lock = threading.Lock()

    def take(self) -> Process:
        """A process for one job, most often one that waits already."""
        try:
            taken = self._waiting.get_nowait()
        except queue.Empty:
            taken = start()
        threading.Thread(target=self.fill, name="wasm-fill", daemon=True).start()
        return taken if taken.child.poll() is None else start()

    def fill(self) -> None:
        """Start what is missing."""
        with self._lock:
            while self._waiting.qsize() < self._count:
                self._waiting.put(start())

    def close(self) -> None:
        """End the waiting ones."""
        with self._lock:
            self._count = 0
            while not self._waiting.empty():
                self._waiting.get_nowait().end()
