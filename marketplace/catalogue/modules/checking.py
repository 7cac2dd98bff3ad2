"""Whether a file is a module we can run: a WASI command (preview 1) that is valid and asks for nothing else."""

from django.conf import settings

from marketplace.catalogue.modules.structure import Kind, read_structure


def check_module(module: bytes) -> None:
    """Raises ValueError with a sentence for the reader.

    A command exports `_start` and its `memory` and imports functions of WASI preview 1 only; see
    https://github.com/WebAssembly/WASI/blob/main/legacy/application-abi.md. Nothing is compiled or run here.
    """
    if len(module) > settings.MODULE_BYTES:
        raise ValueError(f"A module may have at most {settings.MODULE_BYTES:,} bytes; this one has {len(module):,}.")
    # Loading the engine takes a while, and few processes need it.
    from wasmtime import Engine, Module, WasmtimeError

    from marketplace.catalogue.modules.engine import WASI, engine_config

    structure = read_structure(module)
    for namespace, name, kind in structure.imports:
        if namespace != WASI or kind is not Kind.FUNCTION:
            raise ValueError(
                f"The module imports {_shown(namespace)}.{_shown(name)}; only functions of {WASI} can be given. "
                "Build it for wasm32-wasip1."
            )
    if structure.exports.get("_start") is not Kind.FUNCTION:
        raise ValueError(
            "The module is not a WASI command: it exports no function _start. Build a program, no library."
        )
    if structure.exports.get("memory") is not Kind.MEMORY:
        raise ValueError("The module does not export its memory, so it can neither read input nor write output.")
    if structure.initial_memory > settings.EXECUTION_MEMORY_BYTES:
        raise ValueError(
            f"The module begins with {structure.initial_memory // 1_048_576} MiB of memory; agents have "
            f"{settings.EXECUTION_MEMORY_BYTES // 1_048_576} MiB."
        )
    try:
        Module.validate(Engine(engine_config()), module)
    except WasmtimeError as exc:
        raise ValueError(f"The module is not valid WebAssembly: {_first_line(exc)}") from exc


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:60])


def _first_line(exc: Exception) -> str:
    return _shown(str(exc).strip().splitlines()[-1].strip().removeprefix("0: "))[:200]
