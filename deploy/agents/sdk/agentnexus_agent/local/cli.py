"""The command `agentnexus-agent`."""

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from agentnexus_agent.documents import parse_input
from agentnexus_agent.errors import InputError
from agentnexus_agent.local import files, limits, schemas, secrets, targets
from agentnexus_agent.local.console import Console
from agentnexus_agent.local.errors import Exit, LocalError, UsageError
from agentnexus_agent.local.limits import Limits
from agentnexus_agent.local.running import Outcome, execute
from agentnexus_agent.local.sandbox import Given
from agentnexus_agent.local.targets import Kind, Target
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
        known = secrets.given(options.secret, options.secrets_file)
        return _run(options, allowed, Console(allowed, known), known)
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
    run.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a file of the input",
    )
    run.add_argument("--output-dir", type=Path, metavar="FOLDER", help="where to put the files of the result")
    run.add_argument(
        "--secret", action="append", default=[], metavar="NAME[=VALUE]", help="a secret (from the environment)"
    )
    run.add_argument("--secrets-file", type=Path, metavar="FILE", help="with lines NAME=VALUE")
    run.add_argument(
        "--network", action="store_true", help="the whole network, for agents that declare hosts: more than they get"
    )
    run.add_argument("--no-sandbox", action="store_true", help="run agent.py itself, without Docker and without walls")
    return parser


def _run(options: argparse.Namespace, allowed: Limits, console: Console, known: dict[str, str]) -> int:
    target = targets.find(options.target, options.manifest, sandboxed=not options.no_sandbox)
    taken = files.members(target.manifest.get("input_schema"), allowed)
    gives = files.members(target.manifest.get("output_schema"), allowed)
    document = files.named(_input(options.input, target.manifest, allowed), options.file, taken)
    _check("input", document, target.manifest.get("input_schema"), console, UsageError)
    _check_kind(target, options, known, bool(taken or gives), console)
    if target.kind is Kind.PROGRAM:
        return _judge(execute(target, _encoded(document, allowed), allowed, console), target.manifest, console)
    # Not on a disk where there is memory, for the secrets.
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(
        prefix="agentnexus-", dir=memory if known and memory.is_dir() else None, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name).resolve()
        given = Given(
            secrets=_made(folder / "secrets") if known else None,
            inputs=_made(folder / "in") if taken else None,
            outputs=_made(folder / "out") if gives else None,
            network=options.network,
        )
        if given.secrets is not None:
            secrets.write(known, given.secrets)
        if given.inputs is not None:
            document = files.hand_in(document, taken, given.inputs, allowed)
        outcome = execute(target, _encoded(document, allowed), allowed, console, given)
        code = _judge(outcome, target.manifest, console)
        if code is Exit.OK and given.outputs is not None and outcome.output is not None:
            result = json.loads(outcome.output)
            kept = list(files.take_out(result, gives, given.outputs, allowed, options.output_dir))
            for path in kept:
                console.note(f"file of the result: {path}")
            if options.output_dir is None:
                console.note("its files were checked and are gone; --output-dir FOLDER keeps them")
        return code


def _check_kind(
    target: Target, options: argparse.Namespace, known: dict[str, str], with_files: bool, console: Console
) -> None:
    if target.kind is Kind.MODULE and (known or with_files or options.network):
        raise UsageError("A WebAssembly module has no files, no secrets and no network: publish an image for these.")
    if target.kind is Kind.PROGRAM and known:
        raise UsageError("--secret: without a sandbox there is no /run/secrets; run the folder or the image instead.")
    hosts = target.manifest.get("hosts")
    if options.network:
        console.note("WARNING: the whole network. On the platform an agent reaches only the hosts of its version.")
    elif hosts and target.kind is not Kind.PROGRAM:
        console.note(f"agent.json declares {', '.join(map(str, hosts))}; there is no network here without --network")


def _made(folder: Path) -> Path:
    """A folder that the agent's user may write to; whether it can says the mount."""
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def _encoded(document: Any, allowed: Limits) -> bytes:
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    if len(raw) > allowed.input:
        raise UsageError(f"The input has {len(raw):,} bytes; at most {allowed.input:,} are allowed.")
    return raw


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
