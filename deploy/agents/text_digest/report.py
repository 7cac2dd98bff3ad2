"""The digest as a page of Markdown."""

import re
from collections.abc import Sequence
from typing import Any

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def write(result: dict[str, Any]) -> str:
    """A report of about a page. The text's own characters are escaped: they must not become markup."""
    statistics = result["statistics"]
    parts = [
        "## Summary",
        "\n".join(f"- {escape(one['sentence'])}" for one in result["key_sentences"]),
        f"*{statistics['summary_share']:.0%} of the text · the whole takes {_minutes(statistics['reading_minutes'])} "
        f"to read · {result['language']['name']} · {statistics['words']:,} words*",
    ]
    if result["key_phrases"]:
        parts += [
            "## Key phrases",
            " · ".join(f"**{escape(one['phrase'])}** ({one['count']})" for one in result["key_phrases"]),
        ]
    if result["actions"]:
        parts += ["## To do", "\n".join(_action(one) for one in result["actions"])]
    if result["questions"]:
        parts += ["## Open questions", "\n".join(f"- {escape(one)}" for one in result["questions"])]
    if result["figures"]:
        rows = [(one["figure"], one["kind"], one["sentence"]) for one in result["figures"]]
        parts += ["## Figures", _table(("Figure", "Kind", "Where it stands"), rows)]
    if result["names"]:
        named = [escape(one["name"]) + (f" × {one['count']}" if one["count"] > 1 else "") for one in result["names"]]
        parts += ["## Names", " · ".join(named)]
    parts += ["## Readability", *_readability(result["readability"])]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    """`text` such that Markdown shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", text)).strip()


def _action(action: dict[str, str]) -> str:
    notes = [f"owner: {escape(action['owner'])}"] if action["owner"] else []
    notes += [f"due: {escape(action['due'])}"] if action["due"] else []
    return f"- [ ] {escape(action['action'])}" + (f" *({', '.join(notes)})*" if notes else "")


def _readability(legible: dict[str, Any]) -> list[str]:
    grade = (
        f", for readers with about {legible['grade']:.0f} years of schooling" if legible["grade"] is not None else ""
    )
    passive = (
        f" {legible['passive_share']:.0%} of sentences use the passive voice."
        if legible["passive_share"] is not None
        else ""
    )
    parts = [
        f"**{legible['level'].capitalize()}**{grade}: {legible['average_sentence_words']} words in a sentence, "
        f"{legible['long_word_share']:.0%} long words.{passive}",
        _table(
            ("Measure", "Value", "Meaning"),
            [(one["measure"], f"{one['value']:g}", one["meaning"]) for one in legible["measures"]],
        ),
    ]
    if legible["long_sentences"]:
        parts.append("Sentences worth splitting:")
        parts.append(
            "\n".join(f"- {one['words']} words: {escape(one['sentence'])}" for one in legible["long_sentences"])
        )
    return parts


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return "less than a minute"
    return "about a minute" if minutes < 1.5 else f"about {minutes:.0f} minutes"
