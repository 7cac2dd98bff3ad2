"""The processes in which WebAssembly is compiled and run: one job each, started by `executions.runners.wasm`.

They know nothing of Django, get an empty environment, and hold no secret. A fault of the engine, or of what it runs,
ends such a process and nothing else.
"""
