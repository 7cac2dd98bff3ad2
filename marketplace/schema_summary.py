"""A JSON Schema's first level as a list that people can read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.catalogue.file_members import is_file, is_file_list

_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "group",
    "null": "nothing",
}
_FORMATS = {"multiline": "long text", "date": "date", "date-time": "date and time", "email": "e-mail", "uri": "link"}
_MEDIA = {"text/csv": "CSV", "text/markdown": "formatted text", "application/json": "JSON"}
_FILES = {"text/csv": "CSV", "text/markdown": "Markdown", "text/html": "HTML", "application/json": "JSON"}
_FILES |= {"text/plain": "text", "application/pdf": "PDF", "image/*": "image", "audio/*": "audio", "video/*": "video"}
MOST_CHOICES = 8
MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """One member of the document: its name in JSON, and what a person is told about it."""

    name: str
    title: str
    kind: str
    description: str
    required: bool
    choices: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    """What a group or each row of a list consists of."""


def summarise(schema: object) -> list[FieldSummary]:
    """The members of an object schema, in their order. Anything unexpected is left out: this is for reading only."""
    return list(_members(schema)) if isinstance(schema, Mapping) else []


def _members(schema: Mapping[str, Any]) -> Iterator[FieldSummary]:
    properties = schema.get("properties")
    required = schema.get("required")
    for name, member in properties.items() if isinstance(properties, Mapping) else ():
        if not isinstance(member, Mapping):
            continue
        choices = member.get("enum")
        yield FieldSummary(
            name=str(name),
            title=_title(str(name), member),
            kind=_kind(member),
            description=str(member.get("description") or ""),
            required=isinstance(required, list) and name in required,
            choices=tuple(str(choice) for choice in choices[:MOST_CHOICES]) if isinstance(choices, list) else (),
            parts=_parts(member),
        )


def _title(name: str, member: Mapping[str, Any]) -> str:
    return str(member.get("title") or name.replace("_", " ").capitalize())


def _parts(member: Mapping[str, Any]) -> tuple[str, ...]:
    rows = member.get("items")
    properties = (rows if isinstance(rows, Mapping) else member).get("properties")
    if not isinstance(properties, Mapping):
        return ()
    parts = [(str(name), part) for name, part in properties.items() if isinstance(part, Mapping)]
    return tuple(_title(name, part) for name, part in parts[:MOST_PARTS])


def _kind(member: Mapping[str, Any]) -> str:
    if is_file(member) or is_file_list(member):
        one = member if is_file(member) else member["items"]
        wanted = str(one.get("contentMediaType", ""))
        file = f"{_FILES.get(wanted, wanted)} file".strip()
        return file if one is member else f"list of {file}s"
    media = _MEDIA.get(str(member.get("contentMediaType")))
    if media:
        return media
    shown = _FORMATS.get(str(member.get("format")))
    if shown:
        return shown
    kind = member.get("type")
    if isinstance(kind, list):
        return " or ".join(_KINDS.get(str(part), str(part)) for part in kind)
    if kind == "array" and isinstance(member.get("items"), Mapping):
        inner = member["items"].get("type")
        plural = {"string": "texts", "integer": "whole numbers", "number": "numbers", "object": "rows"}
        return f"list of {plural[inner]}" if inner in plural else "list"
    return _KINDS.get(str(kind), "any value")
