"""Files of the input and of the result, where the manifest's schemas have some: handed over as the platform does."""

import base64
import mimetypes
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from agentnexus_agent.local.errors import Exit, LocalError, UsageError
from agentnexus_agent.local.limits import Limits

FOLDER = "/work/in"
_DATA = re.compile(r"data:(?P<type>[^;,]*)(?:;name=(?P<name>[^;,]*))?(?P<base64>;base64)?,(?P<rest>.*)", re.S)


class RefusedFileError(LocalError):
    """The result names a file that the platform would not take."""

    exit = Exit.OUTPUT


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a schema, or a list of them. `most` is its own limit in bytes."""

    many: bool
    most: int


def members(schema: Any, limits: Limits) -> dict[str, Member]:
    """The members of an object's schema that are files."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    found = {}
    for name, part in properties.items() if isinstance(properties, dict) else ():
        many = isinstance(part, dict) and part.get("type") == "array"
        one = part.get("items") if many else part
        if isinstance(one, dict) and one.get("format") == "file":
            own = one.get("x-max-bytes")
            found[name] = Member(many, min(own, limits.file) if isinstance(own, int) else limits.file)
    return found


def named(document: Any, given: list[str], files: Mapping[str, Member]) -> Any:
    """The document with the files of `--file NAME=PATH`. Raises UsageError."""
    lists: dict[str, list[str]] = {}
    for one in given:
        name, equals, path = one.partition("=")
        if not equals or name not in files:
            raise UsageError(f"--file {one}: give NAME=PATH, where the input schema of agent.json has a file NAME.")
        if not isinstance(document, dict):
            raise UsageError("--file: the input must be an object.")
        if files[name].many:
            lists.setdefault(name, []).append(path)
        else:
            document = {**document, name: path}
    return {**document, **lists} if lists else document


def hand_in(document: Any, files: Mapping[str, Member], folder: Path, limits: Limits) -> Any:
    """Copy the document's files, paths or `data:` addresses, to `folder`; the document as an agent gets it. Raises
    UsageError."""
    if not isinstance(document, dict):
        return document
    changed, room, number = dict(document), limits.files, 0
    for name, member in files.items():
        values = document.get(name)
        handed = []
        for value in values if member.many and isinstance(values, list) else [values]:
            if not isinstance(value, str):
                continue
            number += 1
            called, media_type, content = _content(name, value, member.most)
            room -= len(content)
            if room < 0:
                raise UsageError(f"The files of a run may have {limits.files:,} bytes together.")
            ending = re.search(r"\.[a-z0-9]{1,10}$", called.lower())
            path = folder / f"{number}{ending[0] if ending else ''}"
            path.write_bytes(content)
            path.chmod(0o444)
            handed.append(
                {"path": f"{FOLDER}/{path.name}", "name": called, "size": len(content), "media_type": media_type}
            )
        if handed:
            changed[name] = handed if member.many else handed[0]
    return changed


def _content(name: str, value: str, most: int) -> tuple[str, str, bytes]:
    address = _DATA.fullmatch(value)
    if address:
        raw = unquote_to_bytes(address["rest"])
        content = base64.b64decode(raw) if address["base64"] else raw
        called, kind = unquote(address["name"] or "file"), address["type"]
    else:
        path = Path(value).expanduser()
        try:
            size = path.stat().st_size
            content = path.read_bytes() if size <= most else b""
        except OSError as error:
            raise UsageError(f"The file of {name} cannot be read: {value}: {error.strerror}.") from None
        if size > most:
            raise UsageError(f"{value} has {size:,} bytes; at most {most:,} are allowed for {name}.")
        called, kind = path.name, mimetypes.guess_type(path.name)[0]
    if len(content) > most:
        raise UsageError(f"The file of {name} has {len(content):,} bytes; at most {most:,} are allowed.")
    return called, kind or "application/octet-stream", content


def take_out(
    document: Any, files: Mapping[str, Member], folder: Path, limits: Limits, keep: Path | None
) -> Iterator[Path]:
    """Check the files that the result names, and copy them below `keep`; where they are. Raises RefusedFileError."""
    left, seen = limits.files, set()
    for name, member in files.items() if isinstance(document, dict) else ():
        values = document.get(name)
        for value in values if member.many and isinstance(values, list) else [values]:
            if not isinstance(value, str) or value in seen:
                continue
            seen.add(value)
            path, size = _checked(value, folder, member.most)
            left -= size
            if left < 0:
                raise RefusedFileError(f"The files of a result may have {limits.files:,} bytes together.")
            if keep is not None:
                kept = keep / value
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, kept, follow_symlinks=False)
                yield kept


def _checked(value: str, folder: Path, most: int) -> tuple[Path, int]:
    def refused(why: str) -> RefusedFileError:
        return RefusedFileError(f"The result names the file {value!r}, which is not taken: {why}.")

    parts = value.removeprefix("./").split("/")
    if value.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        raise refused("its path does not lead to a place below the output folder")
    if not value.isprintable():
        raise refused("its name has characters that cannot be shown")
    path = folder
    for part in parts:
        path = path / part
        try:
            found = path.lstat()
        except OSError:
            raise refused("there is no such file in the output folder") from None
        if stat.S_ISLNK(found.st_mode):
            raise refused("it is a link")
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise refused("it is not a plain file with one name")
    if found.st_size > most:
        raise refused(f"it has {found.st_size:,} bytes; at most {most:,} are allowed")
    if not os.access(path, os.R_OK):
        raise refused("you may not read it: let the agent make its files readable for all, or run this as root")
    return path, found.st_size
