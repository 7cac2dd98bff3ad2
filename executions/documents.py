"""JSON documents from people and agents: reading them strictly, and writing them one way."""

import hashlib
import json
import math
from typing import Any

from executions.limits import DOCUMENT_DEPTH

# What a JSON text can begin with; anything else on a line is not worth parsing.
_FIRST = frozenset(b'{["-0123456789tfn')


def parse(raw: bytes) -> Any:
    """The document in `raw`. Raises ValueError for anything RFC 8259 does not allow, and for too deep a nesting."""
    try:
        value = json.loads(raw, parse_constant=_refuse)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    problem = unstorable(value)
    if problem is not None:
        raise ValueError(problem[1])
    return value


def looks_like_document(line: bytes) -> bool:
    """Whether a line of output could be a JSON document, judged by its first byte."""
    stripped = line.lstrip()
    return bool(stripped) and stripped[0] in _FIRST


def unstorable(value: Any) -> tuple[str, str] | None:
    """The first thing in `value` that cannot be kept or handed on, as (JSON pointer, sentence); None when it is fine.

    Python's parser lets through what JSON and UTF-8 do not: infinities written as 1e999, lone surrogates, any depth.
    """
    pending: list[tuple[str, Any, int]] = [("", value, 1)]
    while pending:
        pointer, item, depth = pending.pop()
        if depth > DOCUMENT_DEPTH:
            return pointer, f"This is nested more than {DOCUMENT_DEPTH} levels deep."
        if isinstance(item, float) and not math.isfinite(item):
            return pointer, "This number is too large."
        if isinstance(item, str) and not _is_text(item):
            return pointer, "This text has a broken character (half of a surrogate pair)."
        if isinstance(item, dict):
            for key, member in item.items():
                if not _is_text(key):
                    return pointer, "A name in this object has a broken character."
                pending.append((f"{pointer}/{escape(key)}", member, depth + 1))
        elif isinstance(item, list):
            pending.extend((f"{pointer}/{index}", member, depth + 1) for index, member in enumerate(item))
    return None


def dump(value: Any) -> bytes:
    """Compact UTF-8, members in the document's own order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def fingerprint(*values: Any) -> str:
    """SHA-256 over documents, whatever the order of their members."""
    text = json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def escape(key: str) -> str:
    """A member's name as a JSON pointer segment (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
