"""WebAssembly programs of the tests, in the text format."""

from wasmtime import wat2wasm

EXIT = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
WRITE = '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))'
READ = '(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))'
MEMORY = '(memory (export "memory") 4)'


def module(start: str, *more: str, memory: str = MEMORY) -> bytes:
    """A command whose _start has the body `start`; imports must come first in `more`."""
    return bytes(wat2wasm(f'(module {" ".join(more)} {memory} (func (export "_start") {start}))'))


def text(at: int, value: str) -> str:
    """A data segment: the pair that fd_write takes at `at`, and the text 16 bytes behind it."""
    raw = value.encode()
    pair = (at + 16).to_bytes(4, "little") + len(raw).to_bytes(4, "little")
    return f'(data (i32.const {at}) "{_escaped(pair)}") (data (i32.const {at + 16}) "{_escaped(raw)}")'


def say(at: int, stream: int = 1) -> str:
    """Write the text at `at` to standard output (1) or error (2)."""
    return f"(drop (call $write (i32.const {stream}) (i32.const {at}) (i32.const 1) (i32.const 8)))"


def exit_with(code: int) -> str:
    return f"(call $exit (i32.const {code}))"


def _escaped(raw: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in raw)


# Copies standard input, at most 64 KiB of it, to standard output.
ECHO = module(
    """(i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 65536))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))""",
    READ,
    WRITE,
)
LOOP = module("(loop br 0)")
TALKING_LOOP = module(f"{say(0)} (loop br 0)", WRITE, text(0, "begun\n"))
FLOOD = module(f"(loop {say(0)} br 0)", WRITE, text(0, "x" * 60_000 + "\n"))
TRAP = module("unreachable")
HUNGRY = module("(loop (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) br 0)")
ENDLESS_CALLS = bytes(wat2wasm(f'(module {MEMORY} (func $again (export "_start") call $again))'))
# 256 MiB, every page of it used.
MODERATE = module(
    """(local i32) (drop (memory.grow (i32.const 4092))) (local.set 0 (i32.const 65536))
    (loop (i32.store8 (local.get 0) (i32.const 1)) (local.set 0 (i32.add (local.get 0) (i32.const 4096)))
      (br_if 0 (i32.lt_u (local.get 0) (i32.const 268435456))))"""
    + say(0),
    WRITE,
    text(0, "{}\n"),
)
