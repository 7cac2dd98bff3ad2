"""Reading the input document, and writing the result, in strict JSON."""

import dataclasses
import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from agentnexus_agent.errors import InputError, ResultError


def parse_input(raw: bytes) -> Any:
    """The JSON document in `raw`.

    Raises InputError with a sentence that names the line and column of a mistake.
    """
    if not raw.strip():
        raise InputError("No input arrived: the agent expects one JSON document on stdin.")
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise InputError(f"The input is not UTF-8: byte {error.start} is 0x{raw[error.start]:02x}.") from None
    except json.JSONDecodeError as error:
        raise InputError(f"The input is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise InputError("The input is nested too deeply.") from None
    except ValueError as error:
        raise InputError(f"The input cannot be read: {error}.") from None


def render_result(value: Any) -> bytes:
    """`value` as one line of UTF-8 JSON, without the line's end.

    Dataclasses become objects. Raises ResultError that names the place of what JSON cannot carry.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(_explain(value, error)) from None
    return encode(text)


def encode(text: str) -> bytes:
    """`text` as UTF-8. A lone surrogate has no such form; the replacement character keeps the rest."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")


def _refuse_constant(name: str) -> NoReturn:
    raise InputError(f"The input is not JSON: {name} is not a JSON number.")


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(type(value).__name__)


def _explain(value: Any, error: Exception) -> str:
    try:
        for pointer, problem in _problems(value, ""):
            return f"The result cannot be written as JSON: {'/' + pointer if pointer else 'it'} {problem}."
    except RecursionError:
        return "The result cannot be written as JSON: it is nested too deeply, or contains itself."
    return f"The result cannot be written as JSON: {error}."


def _problems(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """The places, as JSON pointers without their first slash, that json.dumps refuses."""
    match value:
        case None | bool() | int() | str():
            return
        case float():
            if not math.isfinite(value):
                yield pointer, f"is {value}, which JSON has no number for"
        case dict():
            for key, member in value.items():
                if not isinstance(key, str | int | float | bool | None):
                    yield pointer, f"has a key of type {type(key).__name__}; keys must be strings"
                yield from _problems(member, _join(pointer, key))
        case list() | tuple():
            for index, member in enumerate(value):
                yield from _problems(member, _join(pointer, index))
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from _problems(_plain(value), pointer)
        case _:
            yield pointer, f"is of type {type(value).__name__}, which JSON cannot carry"


def _join(pointer: str, key: object) -> str:
    step = str(key).replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{step}" if pointer else step
