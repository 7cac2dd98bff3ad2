"""Modules compiled once and kept: from the storage through the compiler into a folder only the worker can write."""

import os
import subprocess
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from executions.runners.wasm.processes import command
from marketplace.catalogue.modules.engine import FLAVOUR

COMPILE_SECONDS = 150
Fetch = Callable[[str], bytes]


class ModuleUnusableError(Exception):
    """The module cannot be had or compiled; the message is a sentence for the person who asked."""


class Modules:
    """Compiled modules by SHA-256. What is compiled is machine code that we trust, so nobody else may write there."""

    def __init__(self, folder: Path, fetch: Fetch) -> None:
        self._folder = folder / f"{version('wasmtime')}-{FLAVOUR}"
        self._fetch = fetch
        self._lock = threading.Lock()

    def open(self, digest: str, tell: Callable[[str], None]) -> int:
        """A file descriptor of the compiled module, to be closed by the caller. `tell` hears that it takes a while.

        Raises ModuleUnusableError; OSError when the storage or the folder fails.
        """
        path = self._folder / f"{digest}.cwasm"
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        with self._lock:  # one compiler at a time: it takes all it can get
            if not path.exists():
                tell("Preparing the module for its first run on this worker")
                self._compile(digest, path)
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def _compile(self, digest: str, path: Path) -> None:
        try:
            module = self._fetch(digest)
        except FileNotFoundError as exc:
            raise ModuleUnusableError("The module is not in the platform's storage any more.") from exc
        except ValueError as exc:
            raise ModuleUnusableError("The module in the platform's storage is damaged.") from exc
        try:
            done = subprocess.run(
                command("compile"), input=module, capture_output=True, env={}, timeout=COMPILE_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise ModuleUnusableError("Compiling the module took too long.") from exc
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()[-200:] if done.returncode == 1 else "it needs too much"
            raise ModuleUnusableError(f"The module could not be compiled: {said}")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(done.stdout)
        partial.replace(path)
