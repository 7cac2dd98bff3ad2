"""The profile as a page of HTML that stands by itself: to keep, to send on, to print."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td { overflow-wrap: anywhere; } .high { color: #c0392b; font-weight: 600; } .wide { overflow-x: auto; }
"""
_FINDINGS = ("severity", "row", "column", "value", "problem", "suggestion")
_COLUMNS = ("name", "kind", "missing_share", "distinct", "minimum", "median", "maximum", "common_values", "notes")


def write(name: str, result: dict[str, Any]) -> str:
    """The page. Whatever comes from the file is escaped."""
    overview, quality = result["overview"], result["quality"]
    parts = [
        f"<h1>{escape(name)}</h1>",
        f"<p>Quality <strong>{quality['score']} of 100</strong> (grade {escape(str(quality['grade']))}) · "
        f"{overview['rows']:,} rows × {overview['columns']} columns · "
        f"{overview['missing_cells']:,} cells missing · {overview['duplicate_rows']:,} repeated rows</p>",
        _table(("dimension", "score", "explanation"), quality["dimensions"]),
        _list("What to do first", result["suggestions"]),
        _section("Findings", _FINDINGS, result["findings"]),
        _section("Columns", _COLUMNS, result["columns"]),
        _section("How columns relate", ("kind", "left", "right", "strength", "detail"), result["relations"]),
        _section("Changes in the cleaned file", ("change", "count"), result["changes"]),
    ]
    head = f'<meta charset="utf-8"><title>Profile of {escape(name)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _section(title: str, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    return f"<h2>{title}</h2>{_table(names, rows)}" if rows else ""


def _list(title: str, items: Iterable[str]) -> str:
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<h2>{title}</h2><ol>{lines}</ol>" if lines else ""


def _table(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    head = "".join(f"<th>{escape(name.replace('_', ' ').capitalize())}</th>" for name in names)
    body = "".join(f"<tr{_tone(row)}>{''.join(_cell(row.get(name)) for name in names)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _tone(row: dict[str, Any]) -> str:
    return ' class="high"' if row.get("severity") == "high" else ""


def _cell(value: Any) -> str:
    return f"<td>{'' if value is None else escape(str(value))}</td>"
