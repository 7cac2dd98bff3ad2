"""Text that people enter: sizes, and characters that would deceive or break."""

import unicodedata
from dataclasses import dataclass

# Bidirectional controls reorder what a reader sees ("Trojan Source", CVE-2021-42574).
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_CONTROLS = frozenset("\n\t")


@dataclass(frozen=True, slots=True)
class TextRule:
    """How long a text may be (characters) and whether it may span lines."""

    minimum: int
    maximum: int
    multiline: bool = False


def storable(text: str) -> str:
    """`text` without characters that PostgreSQL cannot store: NUL and lone surrogates."""
    return "".join(char for char in text if char != "\x00" and unicodedata.category(char) != "Cs")


def clean_text(value: object, rule: TextRule) -> str:
    """The text, trimmed, in NFC, with line ends as `\\n`. Raises ValueError with a sentence for the reader."""
    if not isinstance(value, str):
        raise ValueError("Enter text.")
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    allowed = _LINE_CONTROLS if rule.multiline else frozenset()
    if any(char in _BIDI or (unicodedata.category(char) in ("Cc", "Cs") and char not in allowed) for char in text):
        raise ValueError("Remove the invisible control characters.")
    if not rule.multiline:
        text = " ".join(text.split())
    if len(text) < rule.minimum:
        raise ValueError("This is required." if not text else f"Enter at least {rule.minimum} characters.")
    if len(text) > rule.maximum:
        raise ValueError(f"Enter at most {rule.maximum:,} characters; these are {len(text):,}.")
    return text
