"""What an agent may use, in figures: the platform's defaults, and what a version may ask for beyond them.

The platform's own tests hold its containers against these figures: an agent meets the same walls here and there.
"""

import re
from dataclasses import dataclass, replace

from agentnexus_agent.local.errors import UsageError

MIB = 1024 * 1024
USER = "10001:10001"
LEAST_MEMORY, MOST_MEMORY = 16 * MIB, 2048 * MIB
LEAST_NANO_CPUS, MOST_NANO_CPUS = 100_000_000, 2_000_000_000
LEAST_SECONDS, MOST_SECONDS = 1, 1800
DEPTH = 64  # levels of a document

_UNITS = {"": 1, "b": 1, "k": 1024, "m": MIB, "g": 1024 * MIB}


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one run. Sizes in bytes, times in seconds."""

    timeout: int = 300
    memory: int = 512 * MIB
    nano_cpus: int = 500_000_000
    input: int = MIB
    output: int = MIB  # of the result, and of any line of standard output
    log: int = MIB
    log_lines: int = 50_000
    written: int = 32 * MIB  # of both streams together; more ends the run
    written_lines: int = 1_000_000
    processes: int = 64
    scratch: int = 64 * MIB  # /tmp
    scratch_files: int = 4096
    shared_memory: int = 8 * MIB
    open_files: int = 1024
    file_size: int = 64 * MIB
    file: int = 32 * MIB  # of the input or of the result
    files: int = 64 * MIB  # of the input, and of the result, together
    fuel: int = 500_000_000_000  # instructions of a WebAssembly module


def chosen(memory: str | None, cpus: str | None, timeout: str | None) -> Limits:
    """The usual limits, with what a version may choose. Raises UsageError with the bounds."""
    limits = Limits()
    if memory is not None:
        limits = replace(limits, memory=_memory(memory))
    if cpus is not None:
        limits = replace(limits, nano_cpus=_nano_cpus(cpus))
    if timeout is not None:
        limits = replace(limits, timeout=_seconds(timeout))
    return limits


def _memory(text: str) -> int:
    match = re.fullmatch(r"(\d{1,18})(?:([kmg])i?b?|b)?", text.strip().lower())
    size = int(match[1]) * _UNITS[match[2] or ""] if match else 0
    if not LEAST_MEMORY <= size <= MOST_MEMORY:
        raise UsageError(f"--memory {text}: give between {LEAST_MEMORY // MIB}m and {MOST_MEMORY // MIB}m, as in 512m.")
    return size


def _nano_cpus(text: str) -> int:
    match = re.fullmatch(r"(\d{1,4})(?:\.(\d{1,9}))?", text.strip())
    nano = int(match[1] + (match[2] or "").ljust(9, "0")) if match else 0
    if not LEAST_NANO_CPUS <= nano <= MOST_NANO_CPUS:
        raise UsageError(
            f"--cpus {text}: give between {LEAST_NANO_CPUS / 1e9:g} and {MOST_NANO_CPUS / 1e9:g} cores, as in 0.5."
        )
    return nano


def _seconds(text: str) -> int:
    seconds = int(text) if re.fullmatch(r"\d{1,9}", text.strip()) else 0
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise UsageError(f"--timeout {text}: give between {LEAST_SECONDS} and {MOST_SECONDS} seconds, as in 300.")
    return seconds
