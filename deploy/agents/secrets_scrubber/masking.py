"""What is written in place of what was found."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from .spans import Span

STYLES = ("label", "partial", "blank")
_PUBLIC_PREFIX = re.compile(
    r"AKIA|ASIA|AIza|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|[sr]k_(?:live|test)_|whsec_|sk-ant-|sk-|hf_|npm_|pypi-|SG\.|"
    r"eyJ|-----BEGIN"
)
_BLANK = "█"
_DOT = "•"


@dataclass(frozen=True, slots=True)
class Masked:
    """A span with what replaces it. The same value has the same replacement throughout a text."""

    span: Span
    value: str
    replacement: str


def _people(text: str, spans: Iterable[Span]) -> dict[str, str]:
    """Each name's fullest form in the text: `Anna` and `Meyer` are `Anna Meyer` if that is the only such name."""
    found = {text[span.start : span.end] for span in spans if span.kind.label == "NAME"}
    fullest: dict[str, str] = {}
    for name in found:
        longer = [other for other in found if other != name and set(name.split()) < set(other.split())]
        fullest[name] = longer[0] if len(longer) == 1 else name
    return fullest


def mask(text: str, spans: Iterable[Span], style: str) -> tuple[str, list[Masked]]:
    """The text with all spans replaced, and the replacements in order. The spans must not overlap."""
    spans = list(spans)
    people = _people(text, spans)
    numbers: dict[tuple[str, str], int] = {}
    counts: Counter[str] = Counter()
    done: list[Masked] = []
    parts: list[str] = []
    end = 0
    for span in spans:
        value = text[span.start : span.end]
        key = (span.kind.label, normalised(people.get(value, value) if span.kind.label == "NAME" else value))
        if key not in numbers:
            counts[span.kind.label] += 1
            numbers[key] = counts[span.kind.label]
        label = f"[{span.kind.label}_{numbers[key]}]"
        replacement = {"label": label, "partial": partial(value, span), "blank": _BLANK * min(max(len(value), 4), 12)}[
            style
        ]
        parts += [text[end : span.start], replacement]
        end = span.end
        done.append(Masked(span, value, replacement))
    parts.append(text[end:])
    return "".join(parts), done


def normalised(value: str) -> str:
    """The value without what differs from one way of writing it to another."""
    return re.sub(r"[\s().\u2011-]", "", value).casefold()


def partial(value: str, span: Span) -> str:
    """Enough to recognise the value by for who knows it already."""
    label = span.kind.label
    if label == "EMAIL":
        local, _, domain = value.partition("@")
        name, _, top = domain.rpartition(".")
        return f"{local[:1]}{_DOT * 3}@{name[:1]}{_DOT * 3}.{top}"
    if label in {"CARD", "ACCOUNT", "PHONE"}:
        digits = sum(char.isalnum() for char in value)
        shown, seen, result = 4 if label == "CARD" else 2, 0, []
        for char in value:
            seen += char.isalnum()
            result.append(char if not char.isalnum() or seen > digits - shown else _DOT)
        return "".join(result)
    if label == "NAME":
        return " ".join(f"{word[:1]}." for word in value.split())
    return f"[{span.kind.name}]"


def preview(value: str, span: Span) -> str:
    """The find for a list of finds: never more than a prefix that all values of the kind share, and the length."""
    if span.kind.severity == "high":
        prefix = _PUBLIC_PREFIX.match(value)
        head = prefix[0] if prefix else ""
        return f"{head}{_DOT * 4} ({len(value)} characters)"
    shown = partial(value, span)
    return shown if not shown.startswith("[") else f"{value[:1]}{_DOT * 4} ({len(value)} characters)"
