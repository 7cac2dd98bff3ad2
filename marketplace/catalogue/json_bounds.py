"""Bounds of JSON that strangers send: how large, how deep, and storable in PostgreSQL's jsonb."""

import json
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JsonBounds:
    """At most `size` bytes of compact UTF-8 JSON and `depth` levels of nesting."""

    size: int
    depth: int


def check_bounds(value: Any, bounds: JsonBounds) -> None:
    """Raises ValueError with a sentence for the reader. Never recurses, so any depth is safe."""
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > bounds.depth:
            raise ValueError(f"This is nested too deeply; at most {bounds.depth} levels are allowed.")
        if isinstance(item, dict):
            pending.extend((child, depth + 1) for child in item.values())
            pending.extend((key, depth) for key in item)
        elif isinstance(item, list):
            pending.extend((child, depth + 1) for child in item)
        elif isinstance(item, str):
            _check_text(item)
        elif isinstance(item, float) and not math.isfinite(item):
            raise ValueError("Numbers must be finite.")
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > bounds.size:
        raise ValueError(f"This is too large: {size:,} bytes, at most {bounds.size:,} are allowed.")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ValueError("The character U+0000 cannot be stored.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("Half of a surrogate pair cannot be stored.")
