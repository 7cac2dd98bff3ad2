"""Blacking out secrets in what an agent writes, also in the forms programs usually print them in."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import IO
from urllib.parse import quote

# Of a secret of several lines, such as a key in PEM form, each line that is long enough to be told from other text.
LEAST_LINE = 8
# Of a secret that is cut off: fewer characters of its beginning tell nothing.
LEAST_PART = 4
_CHUNK = 256 * 1024


class Redactor:
    """Replaces every secret by `[NAME]`. Works on whole lines, so that it makes no difference how they arrived."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names: dict[bytes, bytes] = {}
        for name, value in secrets.items():
            for form in _forms(value):
                self._names.setdefault(form.lower(), f"[{name}]".encode())
        # The longest first: one form may contain another.
        self._forms = forms = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, forms)), re.IGNORECASE) if forms else None
        # Bytes of a line that must be seen beyond where it is cut, lest a part of a secret shows.
        self.margin = len(forms[0]) if forms else 0

    def __call__(self, raw: bytes, *, cut: bool = False) -> bytes:
        """`cut`: more of the line is not known, so that its end may be the beginning of a secret."""
        if self._pattern is None:
            return raw
        shown = self._pattern.sub(lambda match: self._names[match[0].lower()], raw)
        return self._without_part(shown) if cut else shown

    def _without_part(self, raw: bytes) -> bytes:
        end = raw[-self.margin :].lower()
        size, form = max((_overlap(end, form), form) for form in self._forms)
        return raw[:-size] + self._names[form] if size else raw

    def found_in(self, content: IO[bytes]) -> bool:
        """Whether a secret is anywhere in the content, which is read to its end."""
        if self._pattern is None:
            return False
        seen = b""
        while chunk := content.read(_CHUNK):
            seen = seen[-self.margin :] + chunk
            if self._pattern.search(seen):
                return True
        return False

    def text(self, text: str) -> str:
        """The same for text."""
        return self(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace") if self._pattern else text


def _forms(value: str) -> set[bytes]:
    stripped = value.strip()
    lines = {line.strip() for line in stripped.splitlines() if len(line.strip()) >= LEAST_LINE}
    plain = {value, stripped, *lines} if "\n" not in stripped else lines
    forms: set[bytes] = set()
    for text in plain:
        raw = text.encode()
        escaped = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], quote(text, safe="")}
        forms |= {raw, *(one.encode() for one in escaped), *_base64(raw), raw.hex().encode()}
    return {form for form in forms if len(form) >= LEAST_LINE}


def _overlap(text: bytes, form: bytes) -> int:
    """How many bytes at the end of `text` are the beginning of `form`."""
    at = text.find(form[:LEAST_PART])
    while at >= 0 and not form.startswith(text[at:]):
        at = text.find(form[:LEAST_PART], at + 1)
    return len(text) - at if at >= 0 else 0


def _base64(raw: bytes) -> Iterator[bytes]:
    """What shows of it wherever it stands in what is encoded, as in `user:password`: the characters that it alone
    decides."""
    for before in range(3):
        first, last = -(-before * 4 // 3), (before + len(raw)) * 4 // 3
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + raw)[first:last]
