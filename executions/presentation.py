"""A result as blocks that a page can draw without thinking: chosen by the output schema, else by the value itself."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.safestring import SafeString

from executions.files.showing import ShownFile
from executions.logs.text import plain
from marketplace.catalogue.file_members import is_file, is_file_list
from marketplace.catalogue.markdown import render_markdown

MAX_ROWS = 500
MAX_COLUMNS = 20
LONG_TEXT = 600  # characters
_IMAGES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}


class Kind(StrEnum):
    """How a block is drawn."""

    TEXT = "text"
    MARKDOWN = "markdown"
    TABLE = "table"
    NUMBER = "number"
    LIST = "list"
    JSON = "json"
    IMAGE = "image"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under column labels; `hidden` rows are not among them. `numeric` says which columns hold numbers
    only."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: int = 0
    numeric: tuple[bool, ...] = ()

    @property
    def head(self) -> list[tuple[str, bool]]:
        """Each label, and whether its column holds numbers."""
        return list(zip(self.columns, self.numeric, strict=True))

    @property
    def body(self) -> list[list[tuple[str, bool]]]:
        """The same of each cell, by row."""
        return [list(zip(row, self.numeric, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a result; `name` is the member it shows. Of the last members one is set, by `kind`: `text` (plain, also
    the JSON text, the number, an image's data: URL and Markdown as it was written), `html` (Markdown made safe),
    `table`, `items`, `files`."""

    kind: Kind
    label: str = ""
    help: str = ""
    text: str = ""
    html: SafeString | None = None
    table: Table | None = None
    items: tuple[str, ...] = ()
    files: tuple[ShownFile, ...] = ()
    name: str = ""

    @property
    def is_long(self) -> bool:
        """Whether a text is too long to be read as a paragraph."""
        return len(self.text) > LONG_TEXT


def blocks(
    output: Any, schema: Mapping[str, Any] | None = None, files: Mapping[str, ShownFile] | None = None
) -> list[Block]:
    """What to draw for `output`: a block for each member of an object, one block for anything else. `files` are those
    it names, by id."""
    schema = schema if isinstance(schema, Mapping) else {}
    if not isinstance(output, dict):
        return [_block("", output, schema)]
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    names = [*(name for name in known if name in output), *(name for name in output if name not in known)]
    parts = ((name, known.get(name)) for name in names)
    shown = (
        (
            name,
            _file_block(name, output[name], part, files or {})
            if isinstance(part, Mapping) and (is_file(part) or is_file_list(part))
            else _block(name, output[name], part if isinstance(part, Mapping) else {}),
        )
        for name, part in parts
    )
    return [replace(block, name=name) for name, block in shown]


def _file_block(name: str, value: Any, schema: Mapping[str, Any], files: Mapping[str, ShownFile]) -> Block:
    label, about = _label(name, schema), str(schema.get("description", ""))
    named = value if isinstance(value, list) else [value]
    shown = tuple(files[one] for one in named if isinstance(one, str) and one in files)
    if not shown:
        return Block(Kind.TEXT, label, about, text="None" if not named else "This file was deleted.")
    return Block(Kind.FILES, label, about, files=shown)


def _label(name: str, schema: Mapping[str, Any]) -> str:
    return str(schema.get("title") or name.replace("_", " ").capitalize())


def _block(name: str, value: Any, schema: Mapping[str, Any]) -> Block:
    label = _label(name, schema)
    about = str(schema.get("description", ""))
    if isinstance(value, bool):
        return Block(Kind.TEXT, label, about, text="Yes" if value else "No")
    if isinstance(value, int | float):
        return Block(Kind.NUMBER, label, about, text=_number(value))
    if isinstance(value, str):
        return _text_block(label, about, value, schema)
    if isinstance(value, list) and value:
        if all(isinstance(row, dict) for row in value):
            return Block(Kind.TABLE, label, about, table=_table(value, schema))
        if not any(isinstance(item, dict | list) for item in value):
            return Block(Kind.LIST, label, about, items=tuple(_cell(item) for item in value[:MAX_ROWS]))
    if value is None or value in ([], {}):
        return Block(Kind.TEXT, label, about, text="None")
    return Block(Kind.JSON, label, about, text=neutralised_json(value))


def _text_block(label: str, about: str, value: str, schema: Mapping[str, Any]) -> Block:
    media = schema.get("contentMediaType")
    if media == "text/markdown":
        return Block(Kind.MARKDOWN, label, about, text=plain(value), html=render_markdown(plain(value)))
    if media in _IMAGES and schema.get("contentEncoding") == "base64":
        image = _image(value, str(media))
        if image is not None:
            return Block(Kind.IMAGE, label, about, text=image)
    return Block(Kind.TEXT, label, about, text=plain(value))


def _image(value: str, media: str) -> str | None:
    """A data: URL, only when the bytes really begin like an image of that type."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return f"data:{media};base64,{value}" if raw.startswith(_IMAGES[media]) else None


def _table(rows: list[dict[str, Any]], schema: Mapping[str, Any]) -> Table:
    items = schema.get("items")
    properties = items.get("properties") if isinstance(items, Mapping) else None
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    shown = rows[:MAX_ROWS]
    present = list(dict.fromkeys(name for row in shown for name in row))
    names = [*(name for name in known if name in present), *(name for name in present if name not in known)]
    names = names[:MAX_COLUMNS]
    labels = tuple(_column(name, known.get(name)) for name in names)
    cells = tuple(tuple(_cell(row.get(name)) for name in names) for row in shown)
    numeric = tuple(_numeric([row.get(name) for row in shown]) for name in names)
    return Table(labels, cells, hidden=len(rows) - len(shown), numeric=numeric)


def _numeric(values: list[Any]) -> bool:
    there = [value for value in values if value is not None]
    return bool(there) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in there)


def _column(name: str, schema: Any) -> str:
    title = schema.get("title") if isinstance(schema, Mapping) else None
    return str(title or name.replace("_", " ").capitalize())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float):
        return _number(value)
    return plain(value) if isinstance(value, str) else neutralised_json(value, indent=None)


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.6g}" if abs(value) < 1e15 else f"{value:g}"


def neutralised_json(value: Any, indent: int | None = 2) -> str:
    """JSON text to look at."""
    return plain(json.dumps(value, indent=indent, ensure_ascii=False))
