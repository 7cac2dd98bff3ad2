"""What kind of file a content is, whatever its name says, and whether that is what an agent asks for."""

import codecs
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import PurePosixPath

from puremagic import PureError, magic_header_array, magic_string, multi_part_dict

NAME_LENGTH = 150
_HEAD = 8 * 1024
ANYTHING = "application/octet-stream"
TEXT = "text/plain"
# Text has no marks of its own: among these the name decides, and they may stand for one another.
_BY_NAME = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".md": "text/markdown",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".sol": "text/x-solidity",
    ".py": "text/x-python",
}
PLAIN_TEXTS = frozenset({TEXT, *_BY_NAME.values()})
# Kinds of text that a browser or a reader would do something with: known by how they begin.
_TELLING_TEXTS = frozenset({"application/pdf", "application/rtf", "application/postscript"})
_MARKUP = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?>(?:<!--.*?-->\s*)*)<(!doctype html|html|head|body|script|svg|\?xml)", re.I | re.S
)
_OFFICE = frozenset({".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".jar"})
_SAME = {
    "application/x-gzip": "application/gzip",
    "application/x-zip-compressed": "application/zip",
    "image/x-ms-bmp": "image/bmp",
    "image/jpg": "image/jpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "application/x-sqlite3": "application/vnd.sqlite3",
    "image/heif": "image/heic",
    "audio/mp3": "audio/mpeg",
    "text/xml": "application/xml",
}
# The least confidence of puremagic that is more than a coincidence: a JPEG has 0.3, a text that begins with BM 0.2.
_SURE = 0.3
_CONTROLS = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Look:
    """What one reading of a content showed. `size` is in bytes, `sha256` in hexadecimal."""

    media_type: str
    size: int
    sha256: str


def look(chunks: Iterable[bytes], name: str) -> Look:
    """Read the content once. `name` tells only kinds of text apart, and kinds of documents that are archives."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    head, size, is_text = b"", 0, True
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if len(head) < _HEAD:
            head += chunk[: _HEAD - len(head)]
        is_text = is_text and _is_text(decoder, chunk)
    is_text = is_text and _is_text(decoder, b"", final=True)
    kind = _kind_of_text(head, name) if is_text else _kind_of_bytes(head, name)
    return Look(kind, size, digest.hexdigest())


def fits(declared: str, actual: str) -> bool:
    """Whether a content of type `actual` may stand where `declared` (a type, a range, or "") is asked for."""
    declared, actual = _SAME.get(declared, declared), _SAME.get(actual, actual)
    if declared in ("", "*/*", ANYTHING, actual):
        return True
    if declared.endswith("/*"):
        return actual.startswith(declared[:-1])
    if declared == TEXT:
        return actual.startswith("text/") or actual in PLAIN_TEXTS
    # A text whose kind nothing but its name tells is what the agent takes it for.
    if actual in PLAIN_TEXTS and (declared.startswith("text/") or declared in PLAIN_TEXTS):
        return declared != "text/html"
    # Of a kind that has no marks, anything may be that has none either.
    return declared not in _recognised() and actual in {*PLAIN_TEXTS, ANYTHING}


@cache
def _recognised() -> frozenset[str]:
    """The types that a content would be known as."""
    signatures = [*magic_header_array, *chain.from_iterable(multi_part_dict.values())]
    # puremagic's confidence is a tenth for each byte that matched.
    kinds = {one.mime_type for one in signatures if len(one.byte_match) >= 10 * _SURE}
    return frozenset({_SAME.get(kind, kind) for kind in kinds} | {"text/html", "image/svg+xml", "application/xml"})


def clean_name(name: str) -> str:
    """A name that can be shown and saved: no folders, no characters that cannot be seen."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in last if char.isprintable()).strip(" .")
    if len(shown) > NAME_LENGTH:
        ending = suffix(shown)
        shown = shown[: NAME_LENGTH - len(ending)] + ending
    return shown or "file"


def suffix(name: str) -> str:
    """The ending of a name in small letters, such as `.csv`; "" when it has none that is plain."""
    ending = PurePosixPath(name).suffix.lower()
    return ending if re.fullmatch(r"\.[a-z0-9]{1,10}", ending) else ""


def _is_text(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        return not _CONTROLS.search(decoder.decode(chunk, final))
    except UnicodeDecodeError:
        return False


def _kind_of_text(head: bytes, name: str) -> str:
    markup = _MARKUP.match(head.removeprefix(codecs.BOM_UTF8))
    if markup:
        opening = markup[1].lower()
        return {b"svg": "image/svg+xml", b"?xml": "application/xml"}.get(opening, "text/html")
    telling = [kind for kind, _ in _candidates(head) if kind in _TELLING_TEXTS]
    return telling[0] if telling else _BY_NAME.get(suffix(name), TEXT)


def _kind_of_bytes(head: bytes, name: str) -> str:
    found = _candidates(head)
    ending = suffix(name)
    if head.startswith(b"PK\x03\x04") and ending not in _OFFICE:
        return "application/zip"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image/bmp"
    by_name = [kind for kind, its_ending in found if its_ending == ending]
    return next(iter([*by_name, *(kind for kind, _ in found)]), ANYTHING)


def _candidates(head: bytes) -> list[tuple[str, str]]:
    """Media types with their name endings, the likeliest first."""
    try:
        matches = magic_string(head) if head else []
    except (PureError, ValueError):
        return []
    sure = [one for one in matches if one.mime_type and one.confidence >= _SURE]
    return [(_SAME.get(one.mime_type, one.mime_type), one.extension) for one in sure]
