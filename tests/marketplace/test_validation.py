"""Validation by schemas of strangers."""

import time
from contextlib import suppress
from typing import Any

import pytest

from marketplace.catalogue.validation import SchemaUnusableError, validate

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    ("schema", "document", "errors"),
    [
        (True, 5, {}),
        ({}, 5, {}),
        ({"$schema": DIALECT, "type": "object"}, {}, {}),
        ({"type": ["string", "null"]}, 5, {"/": "This must be text or null."}),
        ({"type": "integer"}, 1.0, {}),
        ({"type": "integer"}, True, {"/": "This must be a whole number."}),
        ({"enum": ["a", 2]}, "c", {"/": "This must be one of: a, 2."}),
        ({"const": "a"}, "c", {"/": "This must be 'a'."}),
        ({"maxLength": 2}, "abc", {"/": "This must have at most 2 characters."}),
        ({"pattern": "^[a-z]+$"}, "A", {"/": "This must match the pattern ^[a-z]+$"}),
        ({"pattern": r"^\p{Lu}"}, "Ä", {}),
        ({"format": "email"}, "nobody", {"/": "This must be an e-mail address."}),
        ({"format": "date-time"}, "yesterday", {"/": "This must be a date and time such as 2026-11-24T08:30:00Z."}),
        ({"format": "uri"}, "x" * 10_000, {"/": "This must be a web address."}),
        ({"format": "multiline"}, "anything", {}),
        ({"format": "hostname"}, "a-b.example.org", {}),
        ({"format": "hostname"}, "-a.example.org", {"/": "This must be a host name."}),
        ({"format": "hostname"}, 5, {}),
        ({"format": "duration"}, "P1DT12H", {}),
        ({"format": "duration"}, "P", {"/": "This must be a duration such as PT1H30M."}),
        ({"format": "duration"}, "P1DT", {"/": "This must be a duration such as PT1H30M."}),
        ({"format": "json-pointer"}, "/a~1b/0", {}),
        ({"format": "json-pointer"}, "a~2", {"/": "This must be a JSON pointer such as /items/0."}),
        ({"format": "uuid"}, "not-one", {"/": "This must be a UUID."}),
        ({"multipleOf": 5}, 7, {"/": "This must be a multiple of 5."}),
        ({"exclusiveMinimum": 0}, 0, {"/": "This must be more than 0."}),
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], {"/": "No item may repeat."}),
        ({"uniqueItems": True}, [1, True, "1", [1], {"1": 1}], {}),
        ({"items": {"required": ["x"]}}, [{"x": 1}, {}], {"/1/x": "This field is required."}),
        ({"properties": {"a~b": {"type": "string"}}}, {"a~b": 1}, {"/a~0b": "This must be text."}),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, {"/": "A field that belongs to another one is missing."}),
        ({"not": {}}, 1, {"/": "This value is not allowed."}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, {"/": "This fits none of the allowed forms."}),
        (
            {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "string"}}}]},
            {"a": 1},
            {"/a": "This must be text."},
        ),
        (
            {"$defs": {"n": {"minimum": 3}}, "properties": {"a": {"$ref": "#/$defs/n"}}},
            {"a": 1},
            {"/a": "This must be at least 3."},
        ),
        ({"patternProperties": {"^x": {"type": "string"}}, "additionalProperties": False}, {"x1": 1, "y": 1},
         {"/x1": "This must be text.", "/y": "There is no field of this name."}),
        ({"additionalProperties": {"type": "string"}}, {"y": 1}, {"/y": "This must be text."}),
    ],
)  # fmt: skip
def test_errors(schema: Any, document: Any, errors: dict[str, str]) -> None:
    assert validate(document, schema) == errors


def test_messages_never_repeat_what_was_sent() -> None:
    schema = {"properties": {"a": {"maxLength": 3}, "b": {"type": "integer"}, "c": {"format": "uuid"}}}
    secret = "sesame-open"
    assert secret not in str(validate({"a": secret, "b": secret, "c": secret}, schema))


def test_number_of_errors_is_bounded() -> None:
    assert len(validate([""] * 10_000, {"items": {"minLength": 1}})) == 50


BOMB: dict[str, Any] = {
    "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)} | {"d40": {}},
    "$ref": "#/$defs/d0",
}


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        (BOMB, {}),
        ({"$schema": DIALECT, **BOMB}, {}),
        ({"properties": {"a": {"$schema": DIALECT, **BOMB}}}, {"a": 1}),
        ({"items": {"anyOf": [{"const": n} for n in range(3000)]}}, ["x"] * 5000),
        ({"pattern": "^(a|aa|aaa|a?)+$"}, "a" * 5000 + "!"),
        ({"patternProperties": {"^(a|aa|a?)+$": {}}}, {"a" * 5000 + "!": 1}),
        ({"additionalProperties": False, "patternProperties": {"^(a|aa|a?)+$": {}}}, {"a" * 5000 + "!": 1}),
    ],
    ids=["doubling", "with dialect", "inner dialect", "alternatives", "pattern", "names", "more names"],
)
@pytest.mark.slow
def test_cost_is_bounded(schema: Any, document: Any) -> None:
    began = time.monotonic()
    with suppress(SchemaUnusableError):
        validate(document, schema)
    assert time.monotonic() - began < 10


def test_many_items_are_compared_in_linear_time() -> None:
    began = time.process_time()
    assert validate([{"n": n} for n in range(50_000)], {"uniqueItems": True}) == {}
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("schema", "document", "sentence"),
    [
        ({"$ref": "http://127.0.0.1:9/x"}, 1, "The schema refers to something outside itself."),
        ({"$ref": "file:///etc/passwd"}, 1, "The schema refers to something outside itself."),
        ({"$ref": "#/$defs/missing"}, 1, "The schema refers to something outside itself."),
        ({"$ref": "#"}, 1, "The schema refers to itself without end."),
        ({"type": "text"}, 1, "The schema is not valid."),
        ({"pattern": "("}, "x", "The schema is not valid."),
        ({"minLength": "3"}, "x", "The schema is not valid."),
        ({"required": 5}, {}, "The schema is not valid."),
        ({"properties": 5}, {}, "The schema is not valid."),
        ("text", 1, "The schema is not valid."),
    ],
)
def test_unusable_schemas(schema: Any, document: Any, sentence: str) -> None:
    with pytest.raises(SchemaUnusableError) as refused:
        validate(document, schema)
    assert str(refused.value) == sentence
