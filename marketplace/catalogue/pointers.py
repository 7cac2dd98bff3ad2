"""JSON pointers (RFC 6901)."""

from collections.abc import Iterable
from typing import Any


def pointer(path: Iterable[str | int]) -> str:
    """`("properties", "a/b", 0)` as `/properties/a~1b/0`; the whole document is the empty string."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def resolves(document: Any, reference: Any) -> bool:
    """Whether `reference` (`#` or `#/…`) leads to a schema (an object or a boolean) inside `document`."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    if reference == "#":
        return True
    if not reference.startswith("#/") or "%" in reference:
        return False
    node = document
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and name in node:
            node = node[name]
        elif isinstance(node, list) and name.isascii() and name.isdigit() and int(name) < len(node):
            node = node[int(name)]
        else:
            return False
    return isinstance(node, dict | bool)
