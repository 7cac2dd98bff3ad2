"""One process of a run: its input is written, its streams are read while it runs, and its time is watched."""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agentnexus_agent.local.limits import Limits
from agentnexus_agent.local.transcript import STDERR, STDOUT, Transcript

CHUNK = 64 * 1024
LAST_WORDS = 5.0  # seconds for what is left in the pipes once the process has ended


@dataclass(frozen=True, slots=True)
class Finished:
    """`output` is the result's line; `overflow` a sentence when more was written than a run may; `seconds` its time."""

    code: int
    output: bytes | None
    overflow: str
    timed_out: bool
    seconds: float


def run(
    command: list[str],
    document: bytes,
    limits: Limits,
    show: Callable[[bytes], None],
    kill: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Finished:
    """Run `command` on `document` to its end, or to that of its time. `show` gets each line of the log at once; `kill`
    ends what the process stands for, such as a container."""
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=None if environment is None else dict(environment),
        cwd=folder,
    )

    def end() -> None:
        if kill is not None:
            kill()
        process.kill()

    transcript = Transcript(limits, show, lambda: threading.Thread(target=end, daemon=True).start())
    threads = [threading.Thread(target=_write, args=(process.stdin, document), daemon=True)]
    for source, pipe in ((STDOUT, process.stdout), (STDERR, process.stderr)):
        threads.append(threading.Thread(target=_read, args=(pipe, source, transcript), daemon=True))
    for thread in threads:
        thread.start()
    timed_out = False
    try:
        process.wait(limits.timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:
        if process.poll() is None:
            end()
        code = process.wait()
    seconds = time.monotonic() - began
    for thread in threads:
        thread.join(LAST_WORDS)
    return Finished(code, transcript.close(), transcript.overflow, timed_out, seconds)


def _write(pipe: IO[bytes] | None, document: bytes) -> None:
    # An agent may end, or close its input, without reading it all.
    with suppress(OSError), pipe:  # type: ignore[union-attr]
        pipe.write(document)  # type: ignore[union-attr]


def _read(pipe: IO[bytes] | None, source: str, transcript: Transcript) -> None:
    with suppress(OSError, ValueError), pipe:  # type: ignore[union-attr]
        while data := pipe.read1(CHUNK):  # type: ignore[union-attr]
            transcript.feed(source, data)
