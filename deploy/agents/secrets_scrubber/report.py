"""The finds as a page of Markdown, which never shows a value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_MARKS = {"high": "**high**", "medium": "medium", "low": "low"}
MOST_ROWS = 60


def verdict(counts: Mapping[str, int]) -> str:
    """A sentence on what the text as it was would have given away."""
    if counts.get("high", 0):
        return "Not fit to share as it was: it holds secrets or identity numbers."
    if counts.get("medium", 0):
        return "Share with care: it holds personal data."
    if counts.get("low", 0):
        return "Hardly anything sensitive."
    return "Nothing sensitive was found."


def write(result: dict[str, Any]) -> str:
    """A report: the verdict, what was found by kind with advice, and each place."""
    overview = result["overview"]
    parts = [
        f"## {overview['verdict']}",
        f"{overview['found']} places masked, {overview['distinct']} different values · "
        + " · ".join(f"{overview[level]} {_MARKS[level]}" for level in _MARKS),
    ]
    if result["kinds"]:
        rows = [
            (_MARKS[one["severity"]], one["kind"], str(one["count"]), str(one["distinct"]), one["advice"])
            for one in result["kinds"]
        ]
        parts += ["## What was found", table(("Severity", "Kind", "Places", "Values", "What to do"), rows)]
    if result["findings"]:
        places = [
            (
                _MARKS[one["severity"]],
                f"{one['line']}:{one['column']}",
                one["kind"],
                one["preview"],
                one["replacement"],
                f"{one['confidence']:.0%}",
                one["reason"],
            )
            for one in result["findings"][:MOST_ROWS]
        ]
        parts += ["## Where", table(("Severity", "Line:column", "Kind", "Value", "Now reads", "Sure", "Why"), places)]
        if len(result["findings"]) > MOST_ROWS:
            parts.append(f"*… and {len(result['findings']) - MOST_ROWS} more in the list of findings.*")
    parts.append(
        "*Names and addresses are recognised where the text gives a hint; read the masked text before you share it.*"
    )
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """`text` such that Markdown shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", text)).strip()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
