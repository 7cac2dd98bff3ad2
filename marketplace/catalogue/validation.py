"""Validation by JSON Schema 2020-12, with schema and document both written by strangers: of inputs, results, examples.

A schema can be built to cost without end: a pattern that backtracks, references that double at every level, a remote
reference that makes us fetch. So every keyword looks at a clock, patterns have a limit of their own, comparing items is
linear, and nothing is ever fetched.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import regex  # type: ignore[import-untyped]
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, UnknownType, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from marketplace.catalogue.formats import format_checker
from marketplace.catalogue.patterns import matches
from marketplace.catalogue.pointers import pointer
from marketplace.catalogue.validation_messages import message

SECONDS = 2.0
PATTERN_SECONDS = 0.25
MAX_ERRORS = 50

_deadline: ContextVar[float] = ContextVar("schema_deadline")
Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class SchemaUnusableError(Exception):
    """The schema is broken, refers to something outside itself, or takes too long; the message says which."""


def validate(document: Any, schema: Mapping[str, Any] | bool) -> dict[str, str]:
    """What is wrong with `document`: JSON pointer of the offending member -> sentence. Empty when it fits.

    A missing member is named by the pointer it would have. Raises SchemaUnusableError.
    """
    token = _deadline.set(time.monotonic() + SECONDS)
    found: dict[str, str] = {}
    try:
        validator = _Validator(_without_dialect(schema), registry=Registry(), format_checker=format_checker())
        for error in validator.iter_errors(document):
            for place, text in _explain(error):
                found.setdefault(place, text)
            if len(found) >= MAX_ERRORS:
                break
    except TimeoutError as exc:
        raise SchemaUnusableError(f"Checking against the schema took more than {SECONDS:.0f} seconds.") from exc
    except Unresolvable as exc:
        raise SchemaUnusableError("The schema refers to something outside itself.") from exc
    except RecursionError as exc:
        raise SchemaUnusableError("The schema refers to itself without end.") from exc
    except (SchemaError, UnknownType, regex.error, TypeError, ValueError, AttributeError) as exc:
        raise SchemaUnusableError("The schema is not valid.") from exc
    finally:
        _deadline.reset(token)
    return found


def _without_dialect(schema: Any) -> Any:
    """`schema` without $schema: wherever jsonschema meets one, it goes on with its own validator instead of ours."""
    if isinstance(schema, Mapping):
        return {
            key: _without_dialect(value)
            for key, value in schema.items()
            if not (key == "$schema" and isinstance(value, str))
        }
    return [_without_dialect(item) for item in schema] if isinstance(schema, list) else schema


def _explain(error: ValidationError) -> Iterator[tuple[str, str]]:
    path = list(error.absolute_path)
    at = pointer(path)
    if error.validator == "required" and isinstance(error.instance, dict):
        for name in _names(error.validator_value):
            if name not in error.instance:
                yield pointer([*path, name]), "This field is required."
    elif error.validator == "additionalProperties" and error.validator_value is False:
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        patterns = error.schema.get("patternProperties", {}) if isinstance(error.schema, dict) else {}
        for name in _names(error.instance):
            if name not in known and not any(_search(pattern, name) for pattern in patterns):
                yield pointer([*path, name]), "There is no field of this name."
    elif error.validator in {"anyOf", "oneOf"} and error.context:
        yield from _explain_choice(error, at)
    else:
        yield at or "/", message(error)


def _names(value: Any) -> list[str]:
    return [str(name) for name in value]


def _explain_choice(error: ValidationError, at: str) -> Iterator[tuple[str, str]]:
    """Of several alternatives, the errors of the one that came furthest are the useful ones."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or []:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    deepest = {index: max(len(inner.absolute_path) for inner in inners) for index, inners in branches.items()}
    best = max(deepest, key=lambda index: (deepest[index], -len(branches[index])))
    if len(branches) > 1 and list(deepest.values()).count(deepest[best]) > 1:
        yield at or "/", message(error)
        return
    for inner in branches[best]:
        yield from _explain(inner)


def _timed(check: Keyword) -> Keyword:
    def timed(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if time.monotonic() > _deadline.get():
            raise TimeoutError
        yield from check(validator, value, instance, schema) or ()

    return timed


def _search(pattern: str, text: str) -> bool:
    return matches(pattern, text, PATTERN_SECONDS)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _search(pattern, instance):
        yield ValidationError(f"does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for name, value in instance.items():
            if _search(pattern, name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extra = [name for name in instance if name not in known and not any(_search(p, name) for p in patterns)]
    if allowed is False and extra:
        yield ValidationError("has members the schema does not know")
    elif allowed is not False:
        for name in extra:
            yield from validator.descend(instance[name], allowed, path=name)


def _unique_items(validator: Any, unique: bool, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not unique or not validator.is_type(instance, "array"):
        return
    seen: set[str] = set()
    for item in instance:
        key = json.dumps(_normal(item), separators=(",", ":"))
        if key in seen:
            yield ValidationError("has items that repeat")
            return
        seen.add(key)


def _normal(value: Any) -> Any:
    """JSON Schema's equality: member order does not matter, and 1.0 is 1."""
    if isinstance(value, dict):
        return {key: _normal(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_normal(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        name: _timed(check)
        for name, check in {
            **Draft202012Validator.VALIDATORS,
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
            "uniqueItems": _unique_items,
        }.items()
    },
)
