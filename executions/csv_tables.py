"""Tables of a result as CSV (RFC 4180), for spreadsheets."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

# What makes a spreadsheet read a cell as a formula. Results are a stranger's text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Tells spreadsheets that the text is UTF-8.
_MARK = "\ufeff"


def rows_of(output: Any, member: str = "") -> Sequence[dict[str, Any]] | None:
    """The rows of the table that `member` of the result is, or the result itself without one; None when it is none."""
    found = output.get(member) if member and isinstance(output, dict) else output
    if not isinstance(found, list) or not found or not all(isinstance(row, dict) for row in found):
        return None
    return found


def render(rows: Sequence[dict[str, Any]]) -> str:
    """All rows under the names of their members, in the order in which these first come. Numbers are as JSON writes
    them, values with members of their own as JSON; text that would be a formula gets an apostrophe before it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_text(name) for name in names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return _MARK + text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return _text(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
