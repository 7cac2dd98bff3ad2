"""JSON Schemas of creators, and documents checked against them."""

import time
from typing import Any

import pytest

from marketplace.catalogue.file_members import FileMember, file_members
from marketplace.catalogue.json_bounds import JsonBounds, check_bounds
from marketplace.catalogue.patterns import check_pattern
from marketplace.catalogue.pointers import pointer, resolves
from marketplace.catalogue.schemas import DIALECT, check_schema
from marketplace.catalogue.validation import SchemaUnusableError, validate


def nested(depth: Any) -> Any:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "$schema": DIALECT},
        {"type": "object", "properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}}},
        {"type": "object", "$defs": {"row": {"type": "object"}}, "properties": {"a": {"$ref": "#/$defs/row"}}},
        {"type": "object", "properties": {"a": {"const": {"$ref": "https://example.org/"}}}},
        {"type": "object", "properties": {"tree": {"$ref": "#"}}},
        {"type": "object", "properties": {"mail": {"type": "string", "pattern": "^[^@]+@[^@]+$"}}},
    ],
)
def test_sound_schema_is_accepted(schema: Any) -> None:
    assert check_schema(schema) == {}


@pytest.mark.parametrize(
    ("schema", "place", "sentence"),
    [
        (None, "", "Enter a JSON Schema: a JSON object."),
        ([], "", "Enter a JSON Schema: a JSON object."),
        (True, "", "Enter a JSON Schema: a JSON object."),
        ({}, "/type", 'The top level must have "type": "object".'),
        ({"type": "string"}, "/type", 'The top level must have "type": "object".'),
        (
            {"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"},
            "/$schema",
            f"Only {DIALECT} is understood.",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "sting"}}},
            "/properties/a/type",
            "'sting' is not valid under any of the given schemas",
        ),
        ({"type": "object", "required": "text"}, "/required", "'text' is not of type 'array'"),
        (
            {"type": "object", "properties": {"a": {"$ref": "https://evil.example/x"}}},
            "/properties/a/$ref",
            "References must lead to a place in this schema, such as #/$defs/row.",
        ),
        (
            {"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}},
            "/properties/a/$ref",
            "References must lead to a place in this schema, such as #/$defs/row.",
        ),
        (
            {"type": "object", "allOf": [{"$ref": "#/$defs/none"}]},
            "/allOf/0/$ref",
            "References must lead to a place in this schema, such as #/$defs/row.",
        ),
        (
            {"type": "object", "$id": "https://example.org/s"},
            "/$id",
            "Remove $id: a schema here is complete in itself.",
        ),
        (
            {"type": "object", "properties": {"a": {"$schema": DIALECT}}},
            "/properties/a/$schema",
            "$schema belongs at the top only.",
        ),
        (
            {"type": "object", "patternProperties": {"^a": {}}},
            "/patternProperties",
            "Use properties or additionalProperties instead of patternProperties.",
        ),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, "/properties/a/pattern", "'(' is not a 'regex'"),
        (
            {"type": "object", "properties": {"a": {"pattern": "(((x{99}){99}){99})"}}},
            "/properties/a/pattern",
            "This pattern repeats too much.",
        ),
        ({"type": "object", "description": "a\x00b"}, "", "The character U+0000 cannot be stored."),
        (
            {"type": "object", "description": "x" * 70_000},
            "",
            "This is too large: 70,034 bytes, at most 65,536 are allowed.",
        ),
        ({"type": "object", "default": nested(40)}, "", "This is nested too deeply; at most 32 levels are allowed."),
    ],
)
def test_unsound_schema_is_refused_at_its_place(schema: Any, place: Any, sentence: Any) -> None:
    assert check_schema(schema) == {place: sentence}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (nested(6), "nested too deeply"),
        (nested(100_000), "nested too deeply"),
        ({"a": float("inf")}, "finite"),
        ({"a\x00": 1}, "U\\+0000"),
        ({"a": ["\ud800"]}, "surrogate"),
        ({"a": "é" * 50}, "too large: 108 bytes"),
    ],
)
def test_json_beyond_its_bounds_is_refused(value: Any, sentence: Any) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_bounds(value, JsonBounds(size=100, depth=5))


@pytest.mark.parametrize("pattern", ["^[a-z]+$", r"\d{4}-\d{2}", "^(a+)+$", "(?:ab?){2,5}", "x{0,500}", "(?=.*a).{8}"])
def test_pattern_is_accepted(pattern: Any) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["[", "(", "a{2,1}", "x" * 501, "((a{200}){200}){2}", "(?P<a>x)(?P<a>y)", "[[a]"])
def test_pattern_is_refused(pattern: Any) -> None:
    with pytest.raises(ValueError, match=r"pattern|regular expression"):
        check_pattern(pattern)


def test_pointers_escape_and_resolve() -> None:
    assert pointer(["a/b", "c~d", 0]) == "/a~1b/c~0d/0"
    assert pointer([]) == ""
    document = {"$defs": {"a/b": {}, "list": [{"x": True}], "text": "no"}}
    assert resolves(document, "#/$defs/a~1b")
    assert resolves(document, "#/$defs/list/0/x")
    assert not resolves(document, "#/$defs/list/1")
    assert not resolves(document, "#/$defs/text")
    assert not resolves(document, "https://example.org")
    assert not resolves(document, 5)


def hostile_schemas() -> Any:
    chain = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    yield "references that multiply", {"type": "object", "$ref": "#/$defs/d0", "$defs": chain | {"d40": {}}}, {}
    yield (
        "references with $schema",
        {"$schema": DIALECT, "type": "object", "$ref": "#/$defs/d0", "$defs": chain | {"d40": {}}},
        {},
    )
    yield (
        "exponential pattern",
        {"type": "object", "properties": {"a": {"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}}},
        {"a": "a" * 5000},
    )
    yield (
        "slow pattern on many strings",
        {"type": "object", "properties": {"a": {"items": {"pattern": "^(a|b|ab)*(c|d)*(a|b|ab)*e$"}}}},
        {"a": ["ab" * 400 + "e!"] * 500},
    )


@pytest.mark.parametrize(("schema", "document"), [pytest.param(s, d, id=name) for name, s, d in hostile_schemas()])
def test_hostile_schema_is_stopped_at_the_deadline(schema: Any, document: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.catalogue.validation.SECONDS", 0.2)
    assert check_schema(schema) == {}
    started = time.monotonic()
    with pytest.raises(SchemaUnusableError, match=r"^Checking against the schema took more than"):
        validate(document, schema)
    assert time.monotonic() - started < 10  # by itself each would take hours


FILE = {"type": "string", "format": "file"}


def with_member(member: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": member}}


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (FILE, FileMember("a")),
        (
            {**FILE, "contentMediaType": "text/csv", "x-max-bytes": 5, "title": "A"},
            FileMember("a", False, "text/csv", 5),
        ),
        (
            {"type": "array", "items": {**FILE, "contentMediaType": "image/*"}, "maxItems": 3},
            FileMember("a", True, "image/*"),
        ),
    ],
)
def test_files_are_members_of_a_schema(member: Any, expected: FileMember) -> None:
    assert check_schema(with_member(member)) == {}
    assert file_members(with_member(member)) == {"a": expected}


@pytest.mark.parametrize(
    ("member", "place", "sentence"),
    [
        (
            {"type": "object", "properties": {"b": FILE}},
            "/properties/b/format",
            "must be one of the top-level properties",
        ),
        ({"type": "array", "items": {"type": "array", "items": FILE}}, "/items/items/format", "top-level properties"),
        ({"anyOf": [FILE]}, "/anyOf/0/format", "top-level properties"),
        ({**FILE, "type": ["string", "null"]}, "/type", '"type": "string"'),
        ({**FILE, "default": "x"}, "/default", "does not apply to a file"),
        ({**FILE, "contentMediaType": "CSV"}, "/contentMediaType", "such as text/csv or image/*"),
        ({**FILE, "x-max-bytes": True}, "/x-max-bytes", "whole number of bytes"),
        ({**FILE, "x-max-bytes": 0}, "/x-max-bytes", "whole number of bytes"),
        ({"type": "array", "items": FILE, "uniqueItems": True}, "/uniqueItems", "does not apply to a list of files"),
        ({"type": "array", "items": FILE, "maxItems": 21}, "/maxItems", "At most 20 files"),
        ({"items": FILE}, "/type", '"type": "array"'),
    ],
)
def test_files_that_cannot_be_found_are_refused(member: Any, place: str, sentence: str) -> None:
    problems = check_schema(with_member(member))
    assert sentence in problems[f"/properties/a{place}"]
