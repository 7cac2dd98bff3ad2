"""From the text of a CSV file to a table."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from .values import is_missing, is_number_like

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
DELIMITER_NAMES = {mark: name for name, mark in DELIMITERS.items()}
SNIFFED_ROWS = 60
MOST_COLUMNS = 200


class UnreadableError(Exception):
    """The text is no table. The message says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal length. `numbers` are the rows' numbers as a spreadsheet shows them, the first being 1."""

    header: list[str]
    rows: list[list[str]]
    numbers: list[int]
    delimiter: str
    has_header: bool
    ragged: list[tuple[int, int]] = field(default_factory=list)  # (row number, cells found)
    remarks: list[str] = field(default_factory=list)

    def column(self, index: int) -> list[str]:
        """The cells of one column."""
        return [row[index] for row in self.rows]


def read(text: str, delimiter: str = "auto", header: str = "auto") -> Table:
    """The table in `text`. Short rows are filled up, long ones cut, and both are noted.

    Raises UnreadableError when there is no row, or more columns than anyone would want profiled.
    """
    text = text.replace("\x00", "").removeprefix("\ufeff")
    if not text.strip():
        raise UnreadableError("The CSV is empty.")
    csv.field_size_limit(max(len(text), 131_072))
    mark = DELIMITERS[delimiter] if delimiter != "auto" else sniff_delimiter(text)
    remarks: list[str] = []
    records = _parse(text, mark, remarks)
    if not records:
        raise UnreadableError("The CSV has no row with anything in it.")
    width = Counter(len(cells) for _, cells in records[:1000]).most_common(1)[0][0]
    width = max(width, len(records[0][1]) if header != "no" else 0)
    if width > MOST_COLUMNS:
        raise UnreadableError(f"The CSV has {width} columns; this agent profiles up to {MOST_COLUMNS}.")
    ragged = [(number, len(cells)) for number, cells in records if len(cells) != width]
    numbers = [number for number, _ in records]
    rows = [(cells + [""] * width)[:width] for _, cells in records]
    has_header = header == "yes" or (header == "auto" and _first_is_header(rows))
    if has_header:
        names = _names(rows[0], remarks)
        rows, numbers = rows[1:], numbers[1:]
    else:
        names = [f"column {index + 1}" for index in range(width)]
    if not rows:
        raise UnreadableError("The CSV has a header and no rows.")
    return Table(names, rows, numbers, mark, has_header, ragged, remarks)


def sniff_delimiter(text: str) -> str:
    """The delimiter that cuts the first rows into the most columns of equal number."""
    best, best_score = ",", 0.0
    for mark in DELIMITERS.values():
        lengths: list[int] = []
        for cells in csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=mark):
            if any(cell.strip() for cell in cells):
                lengths.append(len(cells))
            if len(lengths) == SNIFFED_ROWS:
                break
        if not lengths:
            continue
        common, count = Counter(lengths).most_common(1)[0]
        if common > 1 and (score := (count / len(lengths)) ** 2 * min(common, 8)) > best_score:
            best, best_score = mark, score
    return best


def _parse(text: str, mark: str, remarks: list[str]) -> list[tuple[int, list[str]]]:
    records = _records(text, mark)
    lines = text.count("\n") + 1
    # A quote that is never closed swallows the rest of the file into one cell.
    if lines > 20 and len(records) < lines / 3 and max(cell.count("\n") for _, row in records for cell in row) > 10:
        remarks.append("A quotation mark is opened and never closed, so quotes were read as plain characters.")
        records = _records(text, mark, with_quotes=False)
    return records


def _records(text: str, mark: str, with_quotes: bool = True) -> list[tuple[int, list[str]]]:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if with_quotes else csv.QUOTE_NONE
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, quoting=quoting)
    numbered: list[tuple[int, list[str]]] = []
    for number, cells in enumerate(reader, start=1):
        if any(cell.strip() for cell in cells):
            numbered.append((number, cells))
    return numbered


def _first_is_header(rows: list[list[str]]) -> bool:
    """A header holds words, all different, above columns of which one at least holds something else."""
    first, rest = rows[0], rows[1:200]
    cells = [cell.strip() for cell in first]
    if not rest or any(is_number_like(cell) for cell in cells) or len(set(cells)) < len(cells) - cells.count(""):
        return False
    if all(cells) and all(re.fullmatch(r"[^\W\d][\w .()/%#€$-]{0,60}", cell) for cell in cells):
        below = [[row[index] for row in rest] for index in range(len(cells))]
        return all(cell not in column for cell, column in zip(cells, below, strict=True))
    return any(
        sum(is_number_like(row[index]) for row in rest if not is_missing(row[index])) > len(rest) / 2
        for index in range(len(cells))
    )


def _names(cells: list[str], remarks: list[str]) -> list[str]:
    names: list[str] = []
    for index, cell in enumerate(cells):
        name = re.sub(r"\s+", " ", cell).strip() or f"column {index + 1}"
        if name != cell:
            remarks.append(f"Column {index + 1} has {'no name' if not cell.strip() else 'spaces around its name'}.")
        unique, copy = name, 2
        while unique in names:
            unique, copy = f"{name} ({copy})", copy + 1
        if unique != name:
            remarks.append(f"The name {name!r} is used for more than one column.")
        names.append(unique)
    return names
