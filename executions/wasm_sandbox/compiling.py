"""Compiling a module, away from the worker: hostile code could make the compiler use up memory or time."""

import sys

from wasmtime import Engine, Module, WasmtimeError

from executions.wasm_sandbox.confinement import confine
from marketplace.catalogue.modules.engine import engine_config

CPU_SECONDS = 120
MEMORY = 2 * 1024**3


def compile_module() -> int:
    """Read a module, write it compiled. Exit code 1 with a sentence on standard error when that is not possible."""
    module = sys.stdin.buffer.read()
    engine = Engine(engine_config())
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    try:
        compiled = Module(engine, module).serialize()
    except WasmtimeError as exc:
        sys.stderr.write(str(exc).strip().splitlines()[-1].strip())
        return 1
    sys.stdout.buffer.write(compiled)
    return 0
