"""Agents as WebAssembly modules, each run in a process of its own."""

from executions.runners.wasm.runner import WasmRunner

__all__ = ["WasmRunner"]
