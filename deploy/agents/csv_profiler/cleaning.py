"""The file again, with what can be repaired without guessing repaired."""

import csv
import io
import math
import re
from collections import Counter
from dataclasses import dataclass

from .columns import Column
from .reading import Table
from .values import is_missing

_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Change:
    """A kind of repair and how many cells or rows it touched."""

    change: str
    count: int


def clean(
    table: Table, columns: list[Column], copies: list[int], intended: dict[str, dict[str, str]]
) -> tuple[str, list[Change]]:
    """The table as CSV with commas, ISO dates, decimal points, empty cells for what is missing, one spelling for each
    category, no spaces around values and no repeated rows. Also returns what was done."""
    done: Counter[str] = Counter()
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(table.header)
    dropped = set(copies)
    for row, record in enumerate(table.rows):
        if row in dropped:
            done["repeated rows removed"] += 1
            continue
        writer.writerow(
            [
                _cell(column, row, cell, intended.get(column.name, {}), done)
                for column, cell in zip(columns, record, strict=True)
            ]
        )
    return target.getvalue(), [Change(change, count) for change, count in done.most_common() if count]


def _cell(column: Column, row: int, cell: str, intended: dict[str, str], done: Counter[str]) -> str:
    if is_missing(cell):
        done["placeholders emptied"] += bool(cell.strip())
        return ""
    text = cell.strip()
    done["values trimmed"] += text != cell
    if text in intended:
        done["spellings unified"] += 1
        text = intended[text]
    if row in column.dates:
        date = column.dates[row]
        written = date.date().isoformat() if column.kind == "date" else date.isoformat()
        done["dates written as ISO 8601"] += written != text
        return written
    if row in column.numbers and column.kind != "identifier":
        if _PLAIN.fullmatch(text):
            return text
        done["numbers written plainly"] += 1
        return _number(column.numbers[row])
    return text


def _number(value: float) -> str:
    if value == math.floor(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
