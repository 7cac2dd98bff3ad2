"""Files: those the agent is given, and those it gives."""

import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

from agentnexus_agent.documents import encode
from agentnexus_agent.errors import InputError
from agentnexus_agent.logging import log

# Where the platform takes files from.
OUTPUT = Path("/work/out")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of the input, read-only. It can be opened like a path: `open(file)`, `csv.reader(file.open())`.

    `name` is what its owner calls it, `size` is in bytes, `media_type` is by its content.
    """

    path: Path
    name: str
    size: int
    media_type: str

    def __fspath__(self) -> str:
        return str(self.path)

    def open(self, encoding: str = "utf-8-sig") -> Any:
        """The file as text; line ends stay as they are, as the csv module wants them."""
        return self.path.open(encoding=encoding, newline="")

    def read_text(self, encoding: str = "utf-8-sig") -> str:
        """The whole file as text."""
        with self.open(encoding) as file:
            return str(file.read())

    def read_bytes(self) -> bytes:
        """The whole file."""
        return self.path.read_bytes()


def output_path(name: str) -> Path:
    """Where to write a file of the result; its folders are made. `name` is relative, such as `report.csv`, and stands
    in the result where the output schema has a file."""
    path = (OUTPUT if OUTPUT.is_dir() else _elsewhere()) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@cache
def _elsewhere() -> Path:
    """Not on the platform, or the output schema has no file."""
    folder = Path(tempfile.mkdtemp(prefix="agent-output-"))
    log.warning(f"nobody takes files here; those of the result are in {folder}")
    return folder


def output_file(name: str, content: str | bytes) -> str:
    """Write a file of the result, and return what names it there: `{"report": output_file("report.csv", text)}`."""
    output_path(name).write_bytes(encode(content) if isinstance(content, str) else content)
    return name


def with_files(function: Any, document: dict[str, Any]) -> dict[str, Any]:
    """`document` with an InputFile for each parameter that is annotated as one, or as a list of them. Raises InputError
    when something else stands there."""
    try:
        hints = get_type_hints(function)
    except (NameError, TypeError):  # annotations that only a type checker understands
        return document
    changed = dict(document)
    for name, hint in hints.items():
        value = document.get(name)
        if value is None:
            continue
        if InputFile in (hint, *get_args(hint)) and not isinstance(value, list):
            changed[name] = _file(name, value)
        elif any(InputFile in get_args(one) for one in (hint, *get_args(hint))) and isinstance(value, list):
            changed[name] = [_file(name, one) for one in value]
    return changed


def _file(name: str, value: Any) -> InputFile:
    if isinstance(value, str):
        value = {"path": value}
    if not isinstance(value, dict) or not isinstance(value.get("path"), str):
        raise InputError(f"The field {name!r} must be a file: an object with its path.")
    path = Path(value["path"])
    if not path.is_file():
        raise InputError(f"The file of the field {name!r} is not there: {os.fspath(path)}.")
    return InputFile(
        path,
        str(value.get("name", path.name)),
        int(value.get("size", path.stat().st_size)),
        str(value.get("media_type", "application/octet-stream")),
    )
