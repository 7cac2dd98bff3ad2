"""Sentences for the ways a value can break its schema. They never repeat the value: it may be huge, or private."""

from collections.abc import Callable
from typing import Any

from jsonschema.exceptions import ValidationError

_NOUNS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_FORMATS = {
    "date": "a date such as 2026-11-24",
    "date-time": "a date and time such as 2026-11-24T08:30:00Z",
    "time": "a time such as 08:30:00Z",
    "email": "an e-mail address",
    "hostname": "a host name",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "uri": "a web address",
    "uri-reference": "a web address or a path",
    "json-pointer": "a JSON pointer such as /items/0",
    "duration": "a duration such as PT1H30M",
    "uuid": "a UUID",
}


def message(error: ValidationError) -> str:
    """What the value must be, as a sentence for a person."""
    keyword = str(error.validator)
    rule = _RULES.get(keyword)
    return rule(error.validator_value) if rule else _FIXED.get(keyword, f"This does not satisfy “{keyword}”.")


def _type(value: Any) -> str:
    names = value if isinstance(value, list) else [value]
    return f"This must be {' or '.join(_NOUNS.get(name, str(name)) for name in names)}."


def _enum(value: Any) -> str:
    shown = [str(item) for item in value[:12]]
    return f"This must be one of: {', '.join(shown)}{', …' if len(value) > len(shown) else ''}."


def _count(template: str, one: str, many: str) -> Callable[[Any], str]:
    return lambda value: template.format(value, one if value == 1 else many)


_RULES: dict[str, Callable[[Any], str]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value: f"This must be {value!r}.",
    "minLength": _count("This must have at least {:,} {}.", "character", "characters"),
    "maxLength": _count("This must have at most {:,} {}.", "character", "characters"),
    "minItems": _count("This must have at least {:,} {}.", "item", "items"),
    "maxItems": _count("This must have at most {:,} {}.", "item", "items"),
    "minProperties": _count("This must have at least {:,} {}.", "member", "members"),
    "maxProperties": _count("This must have at most {:,} {}.", "member", "members"),
    "minimum": lambda value: f"This must be at least {value}.",
    "maximum": lambda value: f"This must be at most {value}.",
    "exclusiveMinimum": lambda value: f"This must be more than {value}.",
    "exclusiveMaximum": lambda value: f"This must be less than {value}.",
    "multipleOf": lambda value: f"This must be a multiple of {value}.",
    "pattern": lambda value: f"This must match the pattern {value}",
    "format": lambda value: f"This must be {_FORMATS.get(value, str(value))}.",
}
_FIXED = {
    "uniqueItems": "No item may repeat.",
    "contains": "An item that is asked for is missing.",
    "dependentRequired": "A field that belongs to another one is missing.",
    "anyOf": "This fits none of the allowed forms.",
    "oneOf": "This must fit exactly one of the allowed forms.",
    "not": "This value is not allowed.",
}
