"""`compile` turns a module on standard input into machine code on standard output; `run FD` waits for a job on FD."""

import sys

from executions.wasm_sandbox.compiling import compile_module
from executions.wasm_sandbox.running import run_job

if __name__ == "__main__":
    mode, *rest = sys.argv[2:]
    sys.exit(compile_module() if mode == "compile" else run_job(int(rest[0])))
