"""The command `agentnexus-agent`."""

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from agentnexus_agent.documents import parse_input
from agentnexus_agent.errors import InputError
from agentnexus_agent.local import limits, schemas, targets
from agentnexus_agent.local.console import Console
from agentnexus_agent.local.errors import Exit, LocalError, UsageError
from agentnexus_agent.local.limits import Limits
from agentnexus_agent.local.running import Outcome, execute
from agentnexus_agent.local.transcript import fits

EPILOG = """exit codes: 0 the result is there and fits; 1 the agent failed; 2 nothing was run: arguments, input or
manifest; 3 no result, or one that does not fit; 4 time ran out; 5 memory ran out; 6 no Docker engine, no such image, or
a command that cannot be started; 130 interrupted"""


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code, one of `Exit`."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        allowed = limits.chosen(options.memory, options.cpus, options.timeout)
        console = Console(allowed)
        return _run(options, allowed, console)
    except LocalError as error:
        print(f"agentnexus-agent: {error}", file=sys.stderr)
        return error.exit
    except KeyboardInterrupt:
        print("agentnexus-agent: interrupted; nothing is left running", file=sys.stderr)
        return Exit.INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="agentnexus-agent", description="Tools for authors of AgentNexus agents.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run an agent on this machine within the platform's limits",
        description="Run an agent on this machine within the platform's limits: log to stderr, result to stdout.",
        epilog=EPILOG,
    )
    run.add_argument(
        "target",
        nargs="?",
        default=".",
        metavar="IMAGE|FOLDER|MODULE",
        help="what to run (the folder here)",
    )
    run.add_argument("--input", metavar="FILE", help="JSON document, - for stdin (the manifest's example)")
    run.add_argument("--manifest", type=Path, metavar="FILE", help="with the schemas (agent.json of the folder)")
    run.add_argument("--memory", metavar="SIZE", help="as the version will ask for, such as 1g (512m)")
    run.add_argument("--cpus", metavar="CORES", help="(0.5)")
    run.add_argument("--timeout", metavar="SECONDS", help="(300)")
    run.add_argument("--no-sandbox", action="store_true", help="run agent.py itself, without Docker and without walls")
    return parser


def _run(options: argparse.Namespace, allowed: Limits, console: Console) -> int:
    target = targets.find(options.target, options.manifest, sandboxed=not options.no_sandbox)
    document = _input(options.input, target.manifest, allowed)
    _check("input", document, target.manifest.get("input_schema"), console, UsageError)
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    if len(raw) > allowed.input:
        raise UsageError(f"The input has {len(raw):,} bytes; at most {allowed.input:,} are allowed.")
    return _judge(execute(target, raw, allowed, console), target.manifest, console)


def _input(name: str | None, manifest: dict[str, Any], allowed: Limits) -> Any:
    if name is None:
        if "example_input" not in manifest:
            raise UsageError("Give the input with --input FILE: there is no agent.json with an example_input.")
        return manifest["example_input"]
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"The input {name} cannot be read: {error.strerror}.") from None
    try:
        document = parse_input(raw)
    except InputError as error:
        raise UsageError(f"{name}: {error}") from None
    if not fits(document):
        raise UsageError(f"{name}: the platform takes no more than {limits.DEPTH} levels, and only finite numbers.")
    return document


class _OutputError(LocalError):
    exit = Exit.OUTPUT


def _judge(outcome: Outcome, manifest: dict[str, Any], console: Console) -> int:
    if outcome.exit is not Exit.OK:
        console.note(outcome.message)
        return outcome.exit
    if outcome.output is None:
        console.note("It ended well but wrote no result: no line of its output is a JSON document.")
        return Exit.OUTPUT
    document = json.loads(outcome.output)
    console.result(document)
    schema = manifest.get("output_schema")
    _check("result", document, schema, console, _OutputError)
    console.note(f"done in {outcome.seconds:.2f} s, {len(outcome.output):,} bytes")
    return Exit.OK


def _check(what: str, document: Any, schema: Any, console: Console, failure: type[LocalError]) -> None:
    if schema is None:
        return
    try:
        found = schemas.problems(document, schema)
    except schemas.NotCheckedError as error:
        console.note(f"the {what} was NOT checked against the schema: {error}")
        return
    if found:
        raise failure(f"The {what} does not fit the schema of agent.json.\n  " + "\n  ".join(found))


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
