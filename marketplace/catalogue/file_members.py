"""Files in an agent's schemas: members whose value is a file instead of JSON.

    {"type": "string", "format": "file", "contentMediaType": "text/csv", "x-max-bytes": 1000000}
    {"type": "array", "items": {"type": "string", "format": "file"}, "maxItems": 5}

`contentMediaType` is a media type or a range such as `image/*`; without it any file will do. They stand directly among
the `properties` of the schema, so that a form, the sandbox and a page find them without reading the document.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.catalogue.pointers import pointer

FORMAT = "file"
MAX_BYTES = "x-max-bytes"
MOST_IN_LIST = 20
_KNOWN = frozenset({"type", "format", "contentMediaType", MAX_BYTES, "title", "description"})
_KNOWN_OF_LIST = frozenset({"type", "items", "minItems", "maxItems", "title", "description"})
# RFC 6838 section 4.2, or a range of RFC 9110 section 12.5.1.
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/(?:[a-z0-9][a-z0-9!#$&^_.+-]{0,126}|\*)")


@dataclass(frozen=True, slots=True)
class FileMember:
    """A member that holds a file, or with `many` a list of files. `media_type` may be "" or a range; `max_bytes` is the
    creator's own limit for each file, None for the platform's."""

    name: str
    many: bool = False
    media_type: str = ""
    max_bytes: int | None = None


def file_members(schema: Mapping[str, Any]) -> dict[str, FileMember]:
    """The members of `schema` that are files, by name."""
    properties = schema.get("properties")
    found: dict[str, FileMember] = {}
    for name, member in properties.items() if isinstance(properties, Mapping) else ():
        one = member.get("items") if is_file_list(member) else member
        if is_file(one):
            found[name] = FileMember(name, one is not member, str(one.get("contentMediaType", "")), one.get(MAX_BYTES))
    return found


def is_file(schema: Any) -> bool:
    """Whether a value of this schema is a file."""
    return isinstance(schema, Mapping) and schema.get("format") == FORMAT


def is_file_list(schema: Any) -> bool:
    """Whether a value of this schema is a list of files."""
    return isinstance(schema, Mapping) and schema.get("type") == "array" and is_file(schema.get("items"))


def check_file(path: tuple[str | int, ...], node: Mapping[str, Any], parent: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the file schema `node` at `path`: sentences by JSON pointer. `parent` is the schema it is the
    `items` of, when it is."""
    problems: dict[str, str] = {}

    def complain(sentence: str, *rest: str) -> None:
        problems[pointer((*path, *rest))] = sentence

    in_list = len(path) == 3 and path[2] == "items"
    if path[:1] != ("properties",) or not (len(path) == 2 or in_list):
        complain("A file must be one of the top-level properties, or the items of a list there.", "format")
        return problems
    if node.get("type") != "string":
        complain('A file has "type": "string".', "type")
    for keyword in sorted(node.keys() - _KNOWN):
        complain("This does not apply to a file.", keyword)
    media_type = node.get("contentMediaType")
    if media_type is not None and not (isinstance(media_type, str) and _MEDIA_TYPE.fullmatch(media_type)):
        complain("Write a media type in small letters, such as text/csv or image/*.", "contentMediaType")
    most = node.get(MAX_BYTES)
    if most is not None and not (isinstance(most, int) and not isinstance(most, bool) and most > 0):
        complain("Write a whole number of bytes.", MAX_BYTES)
    if in_list:
        problems |= _check_list(path[:2], parent)
    return problems


def _check_list(path: tuple[str | int, ...], node: Mapping[str, Any]) -> dict[str, str]:
    problems = {
        pointer((*path, keyword)): "This does not apply to a list of files."
        for keyword in sorted(node.keys() - _KNOWN_OF_LIST)
    }
    if node.get("type") != "array":
        problems[pointer((*path, "type"))] = 'A list of files has "type": "array".'
    most = node.get("maxItems")
    if most is not None and most > MOST_IN_LIST:
        problems[pointer((*path, "maxItems"))] = f"At most {MOST_IN_LIST} files fit into a list."
    return problems
