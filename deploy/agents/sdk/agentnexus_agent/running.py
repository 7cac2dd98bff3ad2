"""Turning a function into the program of an agent image."""

import asyncio
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, ParamSpec, TypeVar

from agentnexus_agent.documents import parse_input, render_result
from agentnexus_agent.errors import EXIT_EXCEPTION, EXIT_INPUT, EXIT_RESULT, AgentError, InputError, ResultError
from agentnexus_agent.files import with_files
from agentnexus_agent.logging import log

P = ParamSpec("P")
R = TypeVar("R")


def agent(function: Callable[P, R]) -> Callable[P, R]:
    """Make the decorated function the agent of this file.

    When the file is the program, the function runs at once on the document from stdin and the process ends; when the
    file is imported, the function is returned unchanged. Put it last in the file, below what it uses.
    """
    if function.__module__ == "__main__":
        run(function)
    return function


def run(function: Callable[..., Any]) -> NoReturn:
    """Run `function` on the JSON document from stdin, write its result to stdout, and end the process.

    Exit codes: 0 result written, 1 exception, 2 unusable input, 3 result that JSON cannot carry.
    """
    with _stdout_kept_for_result() as result_descriptor:
        try:
            line = _run(function, sys.stdin.buffer.read())
        except InputError as error:
            _fail(EXIT_INPUT, str(error))
        except ResultError as error:
            _fail(EXIT_RESULT, str(error))
        except AgentError as error:
            _fail(EXIT_EXCEPTION, str(error) or "The agent gave up without saying why.")
        except MemoryError:
            _fail(EXIT_EXCEPTION, "The agent ran out of memory.")
        except Exception as error:  # noqa: BLE001  an agent may raise anything; its traceback is its log
            _show_traceback(error)
            sys.exit(EXIT_EXCEPTION)
        try:
            _write_all(result_descriptor, line + b"\n")
        except BrokenPipeError:
            _fail(EXIT_EXCEPTION, "Nobody reads the result any more.")
        sys.exit(0)


def _run(function: Callable[..., Any], raw: bytes) -> bytes:
    positional, keywords = bind(function, parse_input(raw))
    value = function(*positional, **keywords)
    if inspect.isawaitable(value):
        value = asyncio.run(_wait_for(value))
    return render_result(value)


async def _wait_for(value: Any) -> Any:
    return await value


def bind(function: Callable[..., Any], document: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with which `function` is called for `document`.

    A function with a single parameter that is called `input` or is positional-only takes the document as it is. Any
    other takes the members of an object as keyword arguments. Raises InputError that names missing or unknown members.
    """
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) == 1 and (
        parameters[0].name == "input" or parameters[0].kind is inspect.Parameter.POSITIONAL_ONLY
    ):
        return (document,), {}
    if not isinstance(document, dict):
        raise InputError(f"The input must be a JSON object, not {_json_type(document)}.")
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    missing = [p.name for p in named if p.default is p.empty and p.name not in document]
    unknown = [] if takes_any else sorted(document.keys() - {p.name for p in named})
    if missing or unknown:
        problems = [f"field {name!r} is missing" for name in missing]
        problems += [f"field {name!r} is not known" for name in unknown]
        known = ", ".join(p.name if p.default is p.empty else f"{p.name} (optional)" for p in named)
        raise InputError(f"The input does not fit: {'; '.join(problems)}. This agent takes: {known or 'nothing'}.")
    return (), with_files(function, document)


@contextmanager
def _stdout_kept_for_result() -> Iterator[int]:
    """Point descriptor 1 at stderr, so that prints of the agent, its libraries and its children become log lines.

    Yields a descriptor of the real stdout. Descriptor 1 stays redirected afterwards: a print at exit must not follow
    the result.
    """
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    # A new stream, since the old one believes that it can seek where the result goes to a file and the log to a pipe.
    encoding, errors = sys.stdout.encoding, "backslashreplace"
    sys.stdout = open(1, "w", buffering=1, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115  stays open
    try:
        yield real
    finally:
        os.close(real)


def _write_all(descriptor: int, data: bytes) -> None:
    sys.stdout.flush()
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _fail(code: int, sentence: str) -> NoReturn:
    log.error(sentence)
    sys.exit(code)


def _show_traceback(error: Exception) -> None:
    """Print the traceback from the agent's own first frame on."""
    here = {__file__, asyncio.runners.__file__, asyncio.base_events.__file__}
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and frames.tb_frame.f_code.co_filename in here:
        frames = frames.tb_next
    if isinstance(error, NameError) and frames is not None:
        error.add_note("If this name is defined further down in the file: @agent runs at once, so put it last.")
    sys.stdout.flush()
    traceback.print_exception(type(error), error, frames)
    sys.stderr.flush()


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return "an array"
