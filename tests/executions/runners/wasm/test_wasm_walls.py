"""What a process of the sandbox may still do when the engine's own walls are down: Python in its place tries it."""

import subprocess
import sys

from executions.runners.wasm.processes import ROOT

CONFINED = """
import os, resource, socket, sys
sys.path.insert(0, sys.argv[1])
from executions.wasm_sandbox.confinement import confine
confine(memory=300 * 1024 * 1024, cpu_seconds=10)
def attempt(what):
    try:
        what()
    except (OSError, MemoryError) as exc:
        return type(exc).__name__
    return "possible"
"""


def tried(expression: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"{CONFINED}\nprint({expression})", str(ROOT)],
        capture_output=True,
        text=True,
        env={},
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_it_is_nobody_and_stays_so() -> None:
    assert tried("(os.getuid(), os.getgid(), os.getgroups(), os.getcwd())") == "(10001, 10001, [], '/')"
    assert tried("attempt(lambda: os.setuid(0))") == "PermissionError"


def test_it_cannot_write_files() -> None:
    assert tried("attempt(lambda: open('/tmp/agentnexus-x', 'w').write('x' * 9999))") in {"OSError", "PermissionError"}


def test_it_cannot_read_what_is_the_workers() -> None:
    assert tried("attempt(lambda: open('/etc/shadow').read())") == "PermissionError"


def test_it_cannot_open_sockets() -> None:
    assert tried("attempt(lambda: socket.socket())") == "PermissionError"
    assert tried("attempt(lambda: socket.socket(socket.AF_UNIX))") == "PermissionError"


def test_it_cannot_start_programs() -> None:
    assert tried("attempt(lambda: os.execv('/bin/true', ['true']))") == "PermissionError"
    assert tried("attempt(os.fork)") == "PermissionError"


def test_its_memory_is_bounded() -> None:
    assert tried("attempt(lambda: bytearray(400 * 1024 * 1024))") == "MemoryError"


def test_its_environment_is_empty() -> None:
    assert tried("dict(os.environ) == {} or sorted(os.environ)") in {"True", "['LC_CTYPE']"}
