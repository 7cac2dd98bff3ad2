"""Run a WebAssembly agent on this machine: `python3 wasi.py agent.wasm < input.json`.

Only WASI preview 1 with the three standard streams: no files, no network, no environment. Needs the wasmtime package.
"""

import sys

from wasmtime import Engine, ExitTrap, Func, Linker, Module, Store, WasiConfig


def run(path: str) -> int:
    """Run the command module at `path`; returns its exit code. A trap raises wasmtime.Trap."""
    engine = Engine()
    store = Store(engine)
    streams = WasiConfig()
    streams.inherit_stdin()
    streams.inherit_stdout()
    streams.inherit_stderr()
    store.set_wasi(streams)
    linker = Linker(engine)
    linker.define_wasi()
    start = linker.instantiate(store, Module.from_file(engine, path)).exports(store)["_start"]
    if not isinstance(start, Func):
        raise TypeError("_start is no function")
    try:
        start(store)
    except ExitTrap as exc:
        return int(exc.code)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
