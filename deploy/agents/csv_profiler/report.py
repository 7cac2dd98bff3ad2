"""The profile as a page of Markdown."""

import re
from collections.abc import Sequence
from typing import Any

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_MARKS = {"high": "**high**", "medium": "medium", "low": "low"}
MOST_FINDINGS = 40


def write(result: dict[str, Any]) -> str:
    """A report that begins with the verdict. Values of the file are escaped: they must not become markup."""
    overview, quality = result["overview"], result["quality"]
    counts = {level: sum(one["severity"] == level for one in result["findings"]) for level in _MARKS}
    parts = [
        f"## Quality {quality['score']} of 100 (grade {quality['grade']})",
        " · ".join(
            (
                f"{overview['rows']:,} rows × {overview['columns']} columns",
                f"{overview['delimiter']}-separated",
                f"{overview['missing_cells']:,} cells missing ({overview['missing_share']:.1%})",
                f"repeated rows: {overview['duplicate_rows']}",
                f"findings: {counts['high']} high, {counts['medium']} medium, {counts['low']} low",
            )
        ),
        table(
            ("Side", "Score", "Why"),
            [(one["dimension"], str(one["score"]), one["explanation"]) for one in quality["dimensions"]],
        ),
    ]
    if result["suggestions"]:
        parts += [
            "## What to do first",
            "\n".join(f"{n}. {escape(one)}" for n, one in enumerate(result["suggestions"], 1)),
        ]
    if result["findings"]:
        parts += ["## Findings", _findings(result["findings"][:MOST_FINDINGS])]
        if len(result["findings"]) > MOST_FINDINGS:
            parts.append(f"*… and {len(result['findings']) - MOST_FINDINGS} more in the list of findings.*")
    columns = [
        (
            one["name"],
            one["kind"],
            f"{1 - one['missing_share']:.0%}",
            f"{one['distinct']:,}",
            one["minimum"],
            one["median"],
            one["maximum"],
            one["distribution"] or one["common_values"],
            one["notes"],
        )
        for one in result["columns"]
    ]
    parts += [
        "## Columns",
        table(
            (
                "Column",
                "Kind",
                "Filled",
                "Distinct",
                "Least",
                "Median",
                "Most",
                "Distribution or common values",
                "Notes",
            ),
            columns,
        ),
    ]
    if result["relations"]:
        parts += ["## How columns relate", _relations(result["relations"])]
    if result["changes"]:
        done = "\n".join(f"- {one['change']}: {one['count']:,}" for one in result["changes"])
        parts += ["## The cleaned file", "Repaired without guessing:", done]
    return "\n\n".join(parts) + "\n"


def _findings(findings: list[dict[str, Any]]) -> str:
    rows = [
        (
            _MARKS[one["severity"]],
            str(one["row"] or "all"),
            one["column"] or "whole row",
            one["value"],
            one["problem"],
            one["suggestion"],
        )
        for one in findings
    ]
    return table(("Severity", "Row", "Column", "Value", "Problem", "Suggestion"), rows)


def _relations(relations: list[dict[str, Any]]) -> str:
    rows = []
    for one in relations:
        # Only a correlation has a direction.
        strength = f"{one['strength']:+.2f}" if one["kind"] == "correlation" else f"{one['strength']:.2f}"
        rows.append((one["kind"], f"{one['left']} → {one['right']}", strength, one["detail"]))
    return table(("Kind", "Columns", "Strength", "Detail"), rows)


def escape(text: str) -> str:
    """`text` such that Markdown shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", text)).strip()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    # Bars of a distribution may begin with a blank, which escaping would trim.
    lines += ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
