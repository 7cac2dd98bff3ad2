"""Run a WebAssembly agent: `python -m agentnexus_agent.local.wasi agent.wasm < input.json`.

Only WASI preview 1 with the three standard streams: no files, no network, no environment. Needs the wasmtime package.
"""

import argparse
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

from agentnexus_agent.local.limits import Limits

TRAPPED = 134  # as a shell shows an abort


class Ending(StrEnum):
    """How a module ended, beside its exit code."""

    EXITED = "exited"
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_FUEL = "out_of_fuel"
    UNUSABLE = "unusable"


def run(path: str, memory: int, fuel: int) -> tuple[Ending, int]:
    """Run the command module at `path` within `memory` bytes and `fuel` instructions; how it ended, and its exit code.
    What went wrong is said on stderr. Raises ImportError without wasmtime."""
    from wasmtime import (
        Config,
        Engine,
        ExitTrap,
        Func,
        Linker,
        Module,
        Store,
        Trap,
        TrapCode,
        WasiConfig,
        WasmtimeError,
    )

    config = Config()
    config.consume_fuel = True
    engine = Engine(config)
    store = Store(engine)
    store.set_fuel(fuel)
    store.set_limits(memory_size=memory)
    streams = WasiConfig()
    streams.argv = ["agent"]
    streams.inherit_stdin()
    streams.inherit_stdout()
    streams.inherit_stderr()
    store.set_wasi(streams)
    linker = Linker(engine)
    linker.define_wasi()
    try:
        exports = linker.instantiate(store, Module.from_file(engine, path)).exports(store)
        start, space = exports["_start"], exports["memory"]
    except (WasmtimeError, Trap, KeyError, OSError) as error:
        return _said(Ending.UNUSABLE, f"The module cannot be started: {_last_line(error)}")
    if not isinstance(start, Func):
        return _said(Ending.UNUSABLE, "The module cannot be started: _start is no function.")
    try:
        start(store)
    except ExitTrap as trap:
        return _judged(Ending.EXITED, int(trap.code), space, store, memory)
    except Trap as trap:
        if trap.trap_code is TrapCode.OUT_OF_FUEL:
            return _said(Ending.OUT_OF_FUEL, "The agent used up the instructions it may spend.")
        return _judged(*_said(Ending.EXITED, f"The module was stopped: {_last_line(trap)}"), space, store, memory)
    return Ending.EXITED, 0


def _judged(ending: Ending, code: int, space: Any, store: Any, memory: int) -> tuple[Ending, int]:
    """Growing beyond the limit is refused, and the module goes to pieces; nothing says so but the size it had."""
    return (Ending.OUT_OF_MEMORY if code and space.data_len(store) > memory * 3 // 4 else ending), code


def _said(ending: Ending, sentence: str) -> tuple[Ending, int]:
    sys.stderr.write(sentence + "\n")
    return ending, TRAPPED


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()


def main() -> int:
    """The command. Its exit code is the module's."""
    parser = argparse.ArgumentParser(prog="wasi", description="Run a WebAssembly agent.")
    parser.add_argument("module")
    parser.add_argument("--memory", type=int, default=Limits().memory, help="bytes")
    parser.add_argument("--fuel", type=int, default=Limits().fuel, help="instructions")
    parser.add_argument("--report", type=Path, help="where to write how it ended")
    options = parser.parse_args()
    ending, code = run(options.module, options.memory, options.fuel)
    if options.report is not None:
        options.report.write_text(ending, encoding="ascii")
    return code


if __name__ == "__main__":
    sys.exit(main())
