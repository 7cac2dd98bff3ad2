"""The JSON Schemas that creators declare for input and output: valid 2020-12, self-contained, and safe to run."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from marketplace.catalogue.file_members import check_file, is_file
from marketplace.catalogue.json_bounds import JsonBounds, check_bounds
from marketplace.catalogue.patterns import check_pattern
from marketplace.catalogue.pointers import pointer, resolves

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BOUNDS = JsonBounds(size=64 * 1024, depth=32)
_NOT_OFFERED = {
    "$id": "Remove $id: a schema here is complete in itself.",
    "$anchor": "Use #/$defs/… instead of $anchor.",
    "$dynamicAnchor": "Use $ref with #/$defs/… instead of $dynamicAnchor.",
    "$dynamicRef": "Use $ref with #/$defs/… instead of $dynamicRef.",
    "patternProperties": "Use properties or additionalProperties instead of patternProperties.",
}
# Their values are data, or maps from names to schemas: names there are not keywords.
_DATA = frozenset({"const", "enum", "default", "examples", "example"})
_MAPS = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})


def check_schema(schema: Any) -> dict[str, str]:
    """What is wrong with `schema`: sentences by JSON pointer into it, empty when all is well.

    Beyond the dialect's meta-schema: at most 64 KiB and 32 levels, `type: object` at the top, references only inside
    the document, files only where `file_members` finds them, and regular expressions that cannot run away (see
    `patterns`).
    """
    if not isinstance(schema, dict):
        return {"": "Enter a JSON Schema: a JSON object."}
    try:
        check_bounds(schema, BOUNDS)
    except ValueError as exc:
        return {"": str(exc)}
    if schema.get("$schema", DIALECT) != DIALECT:
        return {"/$schema": f"Only {DIALECT} is understood."}
    problems: dict[str, str] = {}
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        problems[pointer(exc.absolute_path)] = _short(exc.message)
        return problems
    if schema.get("type") != "object":
        problems["/type"] = 'The top level must have "type": "object".'
    for path, node in _subschemas(schema):
        for keyword, sentence in _NOT_OFFERED.items():
            if keyword in node:
                problems[pointer((*path, keyword))] = sentence
        if path and "$schema" in node:
            problems[pointer((*path, "$schema"))] = "$schema belongs at the top only."
        if "$ref" in node and not resolves(schema, node["$ref"]):
            problems[pointer((*path, "$ref"))] = "References must lead to a place in this schema, such as #/$defs/row."
        if is_file(node):
            problems |= check_file(path, node, schema["properties"][path[1]] if len(path) == 3 else {})
        if "pattern" in node:
            try:
                check_pattern(node["pattern"])
            except ValueError as exc:
                problems[pointer((*path, "pattern"))] = str(exc)
    return problems


def _subschemas(schema: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Every object in `schema` that is read as a schema, with its path."""
    pending: list[tuple[tuple[str | int, ...], Any, bool]] = [((), schema, False)]
    while pending:
        path, node, is_map = pending.pop()
        if isinstance(node, list):
            pending.extend(((*path, index), item, False) for index, item in enumerate(node))
        elif isinstance(node, dict):
            if not is_map:
                yield path, node
            for key, value in node.items():
                if is_map or key not in _DATA:
                    pending.append(((*path, key), value, not is_map and key in _MAPS))


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
