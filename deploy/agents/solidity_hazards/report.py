"""The findings as a page of Markdown."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

_SPECIAL = re.compile(r"([\\*_{}\[\]<>#|~])")
_MARKS = {"high": "**high**", "medium": "medium", "low": "low", "info": "info"}


def grade(counts: Mapping[str, int]) -> str:
    """A verdict in a sentence."""
    if counts.get("high", 0):
        return "Do not deploy: money or control can be lost."
    if counts.get("medium", 0):
        return "Not ready: some findings can lose money under conditions."
    if counts.get("low", 0):
        return "Nearly ready: small things to settle."
    return "None of the known hazards was found, which is no proof that there are none."


def write(result: dict[str, Any]) -> str:
    """A report: the verdict, the findings grouped by hazard, and who may call what."""
    overview = result["overview"]
    parts = [
        f"## {overview['verdict']}",
        f"{escape(overview['file'])} · {overview['lines']:,} lines · {overview['contracts']} contracts · "
        f"{overview['functions']} functions · "
        + " · ".join(f"{overview[level]} {_MARKS[level]}" for level in _MARKS)
        + (f" · {overview['silenced']} silenced" if overview["silenced"] else ""),
    ]
    if result["findings"]:
        parts.append("## Findings")
    ordered = sorted(
        result["findings"], key=lambda one: (list(_MARKS).index(one["severity"]), one["code"], one["line"])
    )
    for (severity, _), group in groupby(ordered, key=lambda one: (one["severity"], one["code"])):
        members = list(group)
        first = members[0]
        parts.append(f"### {_MARKS[severity]}: {escape(first['title'])} ({first['code']})")
        parts.append(
            "\n".join(
                f"- **Line {one['line']}**, {escape(one['function'])}: {escape(one['detail'])}" for one in members
            )
        )
        parts.append(
            "```solidity\n" + "\n".join(f"{one['line']:>5}  {_code(one['snippet'])}" for one in members) + "\n```"
        )
        parts.append(f"**Why it matters.** {escape(first['why'])}")
        parts.append(f"**What to do.** {escape(first['fix'])}")
    if result["functions"]:
        rows = [
            (
                one["contract"],
                one["function"],
                one["open_to"],
                "yes" if one["payable"] else "",
                one["writes"],
                one["calls"],
            )
            for one in result["functions"]
        ]
        parts += [
            "## Who may call what",
            "Every function that changes state and can be called from outside:",
            table(("Contract", "Function", "Open to", "Payable", "Writes", "Calls"), rows),
        ]
    parts.append("*A list of known patterns is the beginning of an audit, not the end of one.*")
    return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    return text.replace("```", "'''")


def escape(text: str) -> str:
    """`text` on one line, such that Markdown shows it as it is; what stands between backticks is left alone."""
    pieces = re.sub(r"\s+", " ", text).strip().split("`")
    if len(pieces) % 2 == 0:  # a backtick without a partner
        return _SPECIAL.sub(r"\\\1", "'".join(pieces))
    return "`".join(piece if place % 2 else _SPECIAL.sub(r"\\\1", piece) for place, piece in enumerate(pieces))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(escape(cell).replace("`", "'") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
