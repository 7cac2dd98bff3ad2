"""The WebAssembly that is offered: one configuration for checking, compiling and running.

Imported by the sandbox's own processes too, so nothing of Django may be imported here.
"""

from wasmtime import Config

# The namespace of WASI preview 1, the only thing a module may ask of us.
WASI = "wasi_snapshot_preview1"
# A name for this configuration; compiled modules are kept under it.
FLAVOUR = "1"


def engine_config() -> Config:
    """Fuel and epochs bound what a guest does; threads, 64-bit and several memories are not offered."""
    config = Config()
    config.consume_fuel = True
    config.epoch_interruption = True
    config.wasm_threads = False
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    config.wasm_component_model = False
    config.memory_init_cow = False  # it would need a file in memory, and the sandbox writes no files
    config.max_wasm_stack = 1024 * 1024
    return config
