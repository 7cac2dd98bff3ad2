"""A run from the target to how it ended."""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agentnexus_agent.local import docker, process, wasi
from agentnexus_agent.local.console import Console
from agentnexus_agent.local.errors import Exit, LocalError
from agentnexus_agent.local.limits import MIB, Limits
from agentnexus_agent.local.process import Finished
from agentnexus_agent.local.sandbox import NOTHING, Given
from agentnexus_agent.local.targets import Kind, Target

SDK = Path(__file__).resolve().parents[2]
_COMMAND_FAULTS = {126: "cannot be executed", 127: "was not found"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`message` is a sentence where it went wrong; `output` the result's line."""

    exit: Exit
    message: str
    output: bytes | None
    seconds: float


def execute(target: Target, document: bytes, limits: Limits, console: Console, given: Given = NOTHING) -> Outcome:
    """Run the target on the document; `given` is for containers. Raises LocalError when it could not be started."""
    match target.kind:
        case Kind.MODULE:
            return _module(target.name, document, limits, console)
        case Kind.PROGRAM:
            return _program(Path(target.name), document, limits, console)
        case Kind.FOLDER:
            docker.require_engine()
            console.note(f"building {target.name}")
            return _container(docker.build(Path(target.name)), document, limits, console, given)
        case Kind.IMAGE:
            docker.require_engine()
            return _container(target.name, document, limits, console, given)


def _container(reference: str, document: bytes, limits: Limits, console: Console, given: Given) -> Outcome:
    image = docker.find_image(reference)
    with docker.container(image, limits, given) as name:
        command = docker.start_command(name)
        finished = process.run(command, document, limits, console.line, kill=lambda: docker.remove(name))
        if finished.timed_out or finished.overflow:
            return _outcome(finished, limits)
        ended = docker.ended(name)
    failed = ended.code != 0 or finished.output is None
    return _outcome(finished, limits, ended.code, out_of_memory=ended.out_of_memory and failed)


def _module(path: str, document: bytes, limits: Limits, console: Console) -> Outcome:
    try:
        import wasmtime  # noqa: F401  only whether it is there
    except ImportError:
        raise LocalError("Running a module needs wasmtime: pip install 'agentnexus-agent[wasm]'") from None
    with tempfile.TemporaryDirectory(prefix="agentnexus-") as folder:
        report = Path(folder, "report")
        options = ["--memory", str(limits.memory), "--fuel", str(limits.fuel), "--report", str(report)]
        command = [sys.executable, "-m", wasi.__name__, path, *options]
        finished = process.run(command, document, limits, console.line, environment=_environment(SDK))
        said = report.read_text(encoding="ascii") if report.is_file() else ""
    if said == wasi.Ending.UNUSABLE:
        raise LocalError("The module could not be started; the line above says why.")
    return _outcome(
        finished,
        limits,
        finished.code,
        out_of_memory=said == wasi.Ending.OUT_OF_MEMORY,
        out_of_fuel=said == wasi.Ending.OUT_OF_FUEL,
    )


def _program(path: Path, document: bytes, limits: Limits, console: Console) -> Outcome:
    console.note(
        "WARNING: no sandbox. The agent runs as you: your files, your network, all memory. Only its time is watched, "
        "and it may still fail on the platform."
    )
    path = path.resolve()
    in_package = (path.parent / "__init__.py").is_file()
    # As its image starts it: a module of its package, so that relative imports work.
    program = ["-m", f"{path.parent.name}.{path.stem}"] if in_package else [str(path)]
    above = [path.parent.parent] if in_package else []
    with tempfile.TemporaryDirectory(prefix="agentnexus-") as folder:
        environment = _environment(SDK, *above) | {"HOME": folder, "PYTHONUNBUFFERED": "1"}
        finished = process.run(
            [sys.executable, *program], document, limits, console.line, environment=environment, folder=Path(folder)
        )
    return _outcome(finished, limits, finished.code)


def _environment(*folders: Path) -> dict[str, str]:
    known = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([*map(str, folders), *([known] if known else [])])
    return {**os.environ, "PYTHONPATH": path}


def _outcome(
    finished: Finished, limits: Limits, code: int = 0, *, out_of_memory: bool = False, out_of_fuel: bool = False
) -> Outcome:
    kind, message = Exit.OK, ""
    if finished.timed_out:
        kind, message = Exit.TIMED_OUT, f"It ran longer than the {limits.timeout} seconds it has."
    elif out_of_fuel:
        kind, message = Exit.TIMED_OUT, "It used up the instructions it may spend."
    elif finished.overflow:
        kind, message = Exit.OUTPUT, finished.overflow
    elif out_of_memory:
        kind, message = Exit.OUT_OF_MEMORY, f"It used more than the {limits.memory // MIB} MiB of memory it has."
    elif code in _COMMAND_FAULTS:
        kind, message = Exit.AGENT, f"The image's command {_COMMAND_FAULTS[code]} (exit code {code})."
    elif code != 0:
        ended = f"was ended by signal {abs(code) % 128}" if code < 0 or code > 128 else f"stopped with exit code {code}"
        kind, message = Exit.AGENT, f"The agent {ended}."
    return Outcome(kind, message, finished.output, finished.seconds)
