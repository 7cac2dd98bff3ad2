"""What an attack is, and whether a promise held against it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from executions import documents
from executions.dispatch.finishing import Verdict
from executions.runners.base import RunOutcome
from tests.executions.runners.recording import Recorder

# A Python attack calls attempt() for everything it tries; what did not fail is its result, which must be empty.
PRELUDE = """
import ctypes, errno, fcntl, json, mmap, os, resource, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
got = []
def attempt(name, action):
    try: value = action()
    except Exception: return
    got.append(f"{name}: {value!r}"[:200])
def call(name, number, *arguments):
    if libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments)) >= 0: got.append(name)
"""
REPORT = "\nprint(json.dumps(got))\n"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of an attack's run."""

    outcome: RunOutcome
    verdict: Verdict
    sink: Recorder
    seconds: float
    taken: Mapping[str, str]  # by name of a file: how the platform took or refused it

    @property
    def result(self) -> Any:
        return documents.parse(self.outcome.output) if self.outcome.output is not None else None


Check = Callable[[Seen], str | None]


@dataclass(frozen=True, slots=True)
class Attack:
    """A hostile image or program, and the promise it must not break.

    `ends` are the states (or `state/reason`) it may end in; `check` gives a complaint when something else is wrong.
    `program` runs in the scripted image; with `image` (lines of a Dockerfile after FROM) it is an image of its own.
    Attacks with `files` find one in /work/in/1.txt, and are judged by how those they left are taken.
    """

    name: str
    promise: str
    ends: tuple[str, ...]
    program: Mapping[str, Any] = field(default_factory=dict)
    image: str = ""
    check: Check = lambda seen: None
    limits: Mapping[str, int] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # what its result would name; with some it has folders for files

    def complaint(self, seen: Seen) -> str | None:
        """What broke; None when the promise held."""
        verdict = seen.verdict
        ended = f"{verdict.status}/{verdict.reason}" if verdict.reason else f"{verdict.status}"
        if ended not in self.ends:
            return f"ended as {ended}: {verdict.error} {seen.sink.stderr[-1:]}"
        return self.check(seen)


def nothing_gained(seen: Seen) -> str | None:
    """For programs that report what they got."""
    return f"got {seen.result}" if seen.result != [] else None


def said(expected: Any) -> Check:
    """For programs whose result is known."""
    return lambda seen: f"answered {seen.result!r}" if seen.result != expected else None


def within(seconds: float) -> Check:
    return lambda seen: f"took {seen.seconds:.1f} s" if seen.seconds > seconds else None
