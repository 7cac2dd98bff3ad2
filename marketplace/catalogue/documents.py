"""Checking a document (an input, an output, an example) against a creator's schema, in bounded time.

Schemas come from strangers: chains of references can multiply work, and a pattern can take exponential time. So
references are followed and patterns matched only until a deadline, and nothing is ever fetched.
"""

import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from marketplace.catalogue.patterns import matches
from marketplace.catalogue.pointers import pointer

SECONDS = 2.0
MOST_PROBLEMS = 20
_deadline: ContextVar[float] = ContextVar("schema_deadline")


def _seconds_left() -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _ref(validator: Any, ref: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    _seconds_left()
    yield from Draft202012Validator.VALIDATORS["$ref"](validator, ref, instance, schema)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not matches(pattern, instance, _seconds_left()):
        yield ValidationError(f"does not match {pattern!r}")


_BoundedValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"$ref": _ref, "pattern": _pattern}
)


def document_problems(schema: dict[str, Any], document: Any) -> dict[str, str]:
    """What is wrong with `document`: sentences by JSON pointer into it (at most 20), empty when it is valid.

    A missing property is named itself: `{"/text": "This is required."}`. `schema` has passed `check_schema`.
    """
    # jsonschema picks a class by $schema wherever it meets it; without, every part is checked by our bounded one.
    bare = {key: value for key, value in schema.items() if key != "$schema"}
    validator: Validator = _BoundedValidator(
        bare, registry=Registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    token = _deadline.set(time.monotonic() + SECONDS)
    problems: dict[str, str] = {}
    try:
        for error in validator.iter_errors(document):
            for place, sentence in _explain(error):
                problems.setdefault(place, sentence)
            if len(problems) >= MOST_PROBLEMS:
                break
    except TimeoutError:
        problems.setdefault("", "Checking this against the schema takes too long.")
    except (RecursionError, Unresolvable):
        problems.setdefault("", "The schema refers to itself without end.")
    finally:
        _deadline.reset(token)
    return problems


def _explain(error: ValidationError) -> Iterator[tuple[str, str]]:
    path = list(error.absolute_path)
    if error.validator == "required" and isinstance(error.instance, dict):
        required: Any = error.validator_value
        missing = [name for name in required if name not in error.instance]
        yield from ((pointer([*path, name]), "This is required.") for name in missing)
    else:
        yield pointer(path), _sentence(error)


def _sentence(error: ValidationError) -> str:
    limit: Any = error.validator_value
    match error.validator:
        case "type":
            kinds = limit if isinstance(limit, list) else [limit]
            return f"Must be {' or '.join(_KINDS.get(kind, str(kind)) for kind in kinds)}."
        case "minLength":
            return "This must not be empty." if limit == 1 else f"Enter at least {limit} characters."
        case "maxLength":
            return f"Enter at most {limit} characters."
        case "minimum":
            return f"Must be at least {limit}."
        case "maximum":
            return f"Must be at most {limit}."
        case "exclusiveMinimum":
            return f"Must be more than {limit}."
        case "exclusiveMaximum":
            return f"Must be less than {limit}."
        case "minItems":
            return f"Must have at least {limit} entries."
        case "maxItems":
            return f"Must have at most {limit} entries."
        case "enum":
            return _short(f"Must be one of {', '.join(map(str, limit))}.")
        case "additionalProperties" if isinstance(error.instance, dict):
            extra = sorted(set(error.instance) - set(error.schema.get("properties", {})))  # type: ignore[union-attr]
            return _short(f"Unknown: {', '.join(extra)}.")
        case "pattern":
            return _short(f"Does not have the form {limit}.")
        case _:
            return _short(error.message)


_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "empty",
}


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
