"""Blacking out secrets in what an agent writes, also in the forms programs usually print them in."""

import base64
import json
import re
from collections.abc import Mapping
from typing import IO
from urllib.parse import quote

# Of a secret of several lines, such as a key in PEM form, each line that is long enough to be told from other text.
LEAST_LINE = 8
_CHUNK = 256 * 1024


class Redactor:
    """Replaces every secret by `[NAME]`. Works on whole lines, so that it makes no difference how they arrived."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names: dict[bytes, bytes] = {}
        for name, value in secrets.items():
            for form in _forms(value):
                self._names.setdefault(form.lower(), f"[{name}]".encode())
        # The longest first: one form may contain another.
        forms = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, forms)), re.IGNORECASE) if forms else None
        # Bytes of a line that must be seen beyond where it is cut, lest a part of a secret shows.
        self.margin = len(forms[0]) if forms else 0

    def __call__(self, raw: bytes) -> bytes:
        if self._pattern is None:
            return raw
        return self._pattern.sub(lambda match: self._names[match[0].lower()], raw)

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
        encoded = {base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"="), raw.hex().encode()}
        forms |= {raw, *(one.encode() for one in escaped), *encoded}
    return {form for form in forms if len(form) >= LEAST_LINE}
