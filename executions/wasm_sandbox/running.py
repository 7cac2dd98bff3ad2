"""Running one module once. Standard input, output and error are the guest's own."""

import json
import os
import select
import socket
import threading
from dataclasses import asdict

from wasmtime import Engine, ExitTrap, Linker, Memory, Module, Store, Trap, TrapCode, WasiConfig, WasmtimeError

from executions.wasm_sandbox.confinement import confine
from executions.wasm_sandbox.protocol import READY, Job, Report
from marketplace.catalogue.modules.engine import engine_config

# Of the process beside the guest's own memory: interpreter, engine, compiled code.
OVERHEAD = 256 * 1024 * 1024
TRAP_CODE = 134  # as a shell shows an abort, and as the wasmtime command exits


def run_job(descriptor: int) -> int:
    """Wait for a job on the socket `descriptor` and do it. Exit code 0 when it was reported, however it ended."""
    control = socket.socket(fileno=descriptor)
    engine = Engine(engine_config())
    control.sendall(READY)
    message, descriptors, _, _ = socket.recv_fds(control, 4096, 1)
    if not message:
        return 0
    job = Job(**json.loads(message))
    with os.fdopen(descriptors[0], "rb") as file:
        compiled = file.read()
    module = Module.deserialize(engine, compiled)
    confine(job.memory + OVERHEAD + len(compiled), job.cpu_seconds)
    threading.Thread(target=_watch, args=(control, engine, job.timeout), daemon=True).start()
    report = _run(engine, module, job)
    control.sendall(json.dumps(asdict(report)).encode() + b"\n")
    # Threads of the engine, and the watch, need no farewell.
    os._exit(0)


def _watch(control: socket.socket, engine: Engine, seconds: float) -> None:
    """Interrupt the guest at its deadline; end at once when the worker is gone."""
    readable, _, _ = select.select([control], [], [], seconds)
    if readable:
        os._exit(0)
    engine.increment_epoch()


def _run(engine: Engine, module: Module, job: Job) -> Report:
    store = Store(engine)
    store.set_fuel(job.fuel)
    store.set_epoch_deadline(1)
    store.set_limits(memory_size=job.memory, table_elements=1_000_000, instances=1, tables=16, memories=1)
    wasi = WasiConfig()  # no directory, no environment, no network
    wasi.argv = ["agent"]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store.set_wasi(wasi)
    linker = Linker(engine)
    linker.define_wasi()
    try:
        instance = linker.instantiate(store, module)
        exports = instance.exports(store)
        memory, start = exports["memory"], exports["_start"]
    except (WasmtimeError, Trap, KeyError) as exc:
        return Report("unusable", message=_last_line(exc))
    try:
        start(store)  # type: ignore[operator]
    except ExitTrap as exc:
        return Report("exited", exc.code, memory=_size(memory, store))
    except Trap as exc:
        return _trapped(exc, _size(memory, store))
    except WasmtimeError as exc:
        return Report("trapped", TRAP_CODE, _last_line(exc), _size(memory, store))
    return Report("exited", 0, memory=_size(memory, store))


def _trapped(trap: Trap, memory: int) -> Report:
    code = trap.trap_code
    if code is TrapCode.INTERRUPT:
        return Report("timed_out", memory=memory)
    if code is TrapCode.OUT_OF_FUEL:
        return Report("out_of_fuel", memory=memory)
    return Report("trapped", TRAP_CODE, _last_line(trap), memory)


def _size(memory: object, store: Store) -> int:
    return memory.data_len(store) if isinstance(memory, Memory) else 0


def _last_line(exc: BaseException) -> str:
    lines = str(exc).strip().splitlines() or [type(exc).__name__]
    return lines[-1].strip().removeprefix("wasm trap: ")[:300]
