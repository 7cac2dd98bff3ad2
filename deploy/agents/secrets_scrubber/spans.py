"""A piece of the text that ought not to be seen."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be found: `name` is shown and can be asked to be kept, `label` stands in for the value."""

    name: str
    label: str
    severity: str
    advice: str


@dataclass(frozen=True, slots=True)
class Span:
    """A find: `start` and `end` are places in the text, `confidence` is up to 1, `reason` never quotes the value."""

    kind: Kind
    start: int
    end: int
    confidence: float
    reason: str


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """The surest of the spans that overlap, of equally sure ones the longest; in the order of the text."""
    chosen: list[Span] = []
    taken: list[tuple[int, int]] = []
    ordered = sorted(spans, key=lambda span: (-round(span.confidence, 1), span.start - span.end, span.start))
    cells: dict[int, list[tuple[int, int]]] = {}
    for span in ordered:
        # Spans are short: comparing within cells of 1,000 characters spares comparing each with each.
        near = [one for cell in range(span.start // 1000, span.end // 1000 + 1) for one in cells.get(cell, ())]
        if any(span.start < end and start < span.end for start, end in near):
            continue
        chosen.append(span)
        taken.append((span.start, span.end))
        for cell in range(span.start // 1000, span.end // 1000 + 1):
            cells.setdefault(cell, []).append((span.start, span.end))
    return sorted(chosen, key=lambda span: span.start)


def entropy(text: str) -> float:
    """Shannon entropy in bits per character: 0 for one character repeated, about 5.5 for random Base64 of 80."""
    counts = Counter(text)
    return -math.fsum(count / len(text) * math.log2(count / len(text)) for count in counts.values()) if text else 0.0


def near(text: str, start: int, end: int, words: re.Pattern[str], before: int = 40, after: int = 0) -> bool:
    """Whether one of `words` stands shortly before (or after) a place, on the same line."""
    line_start = text.rfind("\n", 0, start) + 1
    head = text[max(line_start, start - before) : start]
    tail = text[end : end + after].partition("\n")[0] if after else ""
    return bool(words.search(head) or words.search(tail))
