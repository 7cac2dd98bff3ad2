"""What is wrong, cell by cell."""

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from . import numeric
from .columns import Column, Facts
from .reading import Table
from .rules import Rule
from .values import parse_date

SEVERITIES = ("high", "medium", "low")
MOST_PER_COLUMN = 25
MANY_COPIES = 0.2  # share of rows
MANY_FAR = 0.03  # share of values from which "far from the median" is a trait of the column
_MOJIBAKE = re.compile("[ÃÂ][\u0080-\u00bf]|â€[™œ\u009d“”¦]|ï¿½|\ufffd")
_KEY_NAME = re.compile(r"(?:^|[ _-])(?:id|key|nr|no|number|code|uuid|sku|ref(?:erence)?)$|Id$|ID$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """`row` is the row's number in the file, 0 where a finding is about a whole column or file."""

    severity: str
    row: int
    column: str
    value: str
    problem: str
    suggestion: str


def structure(table: Table) -> list[Finding]:
    """Rows of another length, and what was odd about the header and the quotes."""
    found = [Finding("medium", 0, "", "", remark, "Repair the file's header or quoting.") for remark in table.remarks]
    for number, cells in table.ragged[:MOST_PER_COLUMN]:
        how = "more" if cells > len(table.header) else "fewer"
        found.append(
            Finding(
                "high",
                number,
                "",
                f"{cells} cells",
                f"{how} cells than the {len(table.header)} columns",
                "A delimiter inside a value needs quotes around it.",
            )
        )
    return found


def cells(table: Table, column: Column) -> list[Finding]:
    """Values of the wrong kind, spaces, broken encoding, and text forms that differ only in case or spaces."""
    wrong = f"not {article(column.kind)} {column.kind}"
    found = [
        _at(
            table,
            row,
            column,
            "high",
            wrong,
            f"Correct it, or leave the cell empty. {_impossible(column, row)}".strip(),
        )
        for row in column.invalid[:MOST_PER_COLUMN]
    ]
    spaced = [row for row, cell in enumerate(column.cells) if cell != cell.strip() and cell.strip()]
    if spaced:
        where = ", ".join(str(table.numbers[row]) for row in spaced[:5]) + (" …" if len(spaced) > 5 else "")
        found.append(
            Finding(
                "low",
                table.numbers[spaced[0]],
                column.name,
                column.cells[spaced[0]],
                f"spaces around the value in {'row' if len(spaced) == 1 else 'rows'} {where}",
                "Trim them.",
            )
        )
    garbled = [row for row, cell in enumerate(column.cells) if _MOJIBAKE.search(cell)]
    found.extend(
        _at(
            table, row, column, "medium", "garbled characters: read in the wrong encoding", _ungarble(column.cells[row])
        )
        for row in garbled[:MOST_PER_COLUMN]
    )
    return found


def _impossible(column: Column, row: int) -> str:
    if column.kind.startswith("date") and parse_date(column.cells[row], not column.date_day_first) is not None:
        return "It would be a date with day and month exchanged."
    return ""


def _ungarble(cell: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            repaired = cell.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if repaired != cell:
            return f"Probably “{repaired}”."
    return "Export the file again as UTF-8."


def outliers(table: Table, column: Column, limit: float) -> list[Finding]:
    """Numbers and dates that are far from the others by a robust z-score, and the odd negative number.

    A value that several rows share is a group of its own and no outlier, and where many values are far from the median
    the column simply has more than one hill.
    """
    values: dict[int, float] = (
        column.numbers if column.is_numeric else {row: float(date.toordinal()) for row, date in column.dates.items()}
    )
    often = Counter(values.values())
    if len(values) < 12 or len(often) < 5:
        return []
    figures, scale = list(values.values()), ""
    if column.is_numeric and min(figures) > 0 and numeric.skewness(figures) > 2:
        # Prices and counts grow by factors: on a logarithmic scale their long tail is no outlier.
        figures, scale = [math.log(value) for value in figures], " on a logarithmic scale"
    scores = dict(zip(values, numeric.robust_scores(figures), strict=True))
    far = {row: score for row, score in scores.items() if abs(score) > limit and often[values[row]] < 3}
    # Of numbers that are spread normally, this share is beyond the limit, too.
    usual = math.erfc(limit / math.sqrt(2))
    if len(far) > max(MANY_FAR, 3 * usual) * len(values):
        far = {row: score for row, score in far.items() if abs(score) > 3 * limit}
    middle = numeric.quantile(sorted(values.values()), 0.5)
    shown = numeric.short(middle) if column.is_numeric else _date_text(column, middle)
    advice = "Check for a misplaced decimal point or a wrong unit." if column.is_numeric else "Check the year."
    found = [
        _at(
            table,
            row,
            column,
            "high" if abs(far[row]) > 2 * limit else "medium",
            f"far {'above' if far[row] > 0 else 'below'} the median {shown} (robust z = {far[row]:.1f}{scale})",
            advice,
        )
        for row in sorted(far, key=lambda row: -abs(far[row]))[:MOST_PER_COLUMN]
    ]
    negative = [row for row, value in values.items() if value < 0]
    if column.is_numeric and len(values) >= 20 and 0 < len(negative) <= 0.02 * len(values):
        found += [
            _at(table, row, column, "high", "negative, unlike nearly all others", "Check the sign.") for row in negative
        ]
    return found


def rare_categories(table: Table, column: Column) -> list[Finding]:
    """Categories that a single row has, where all others are common."""
    if column.kind != "category" or column.filled < 40:
        return []
    once = [value for value, count in column.counts.items() if count == 1]
    if not once or len(once) > 3 or len(once) > column.distinct / 2:
        return []
    rows = {cell.strip(): row for row, cell in enumerate(column.cells)}
    advice = "Check for another name of a usual one."
    return [_at(table, rows[value], column, "low", "no other row has this value", advice) for value in once]


def _date_text(column: Column, ordinal: float) -> str:
    nearest = min(column.dates.values(), key=lambda date: abs(date.toordinal() - ordinal))
    return nearest.date().isoformat()


def spellings(table: Table, column: Column) -> tuple[list[Finding], dict[str, str]]:
    """Categories that look like misspellings of a common one.

    Also returns, for those that differ in case, spaces and punctuation only, what they should be: to unify these needs
    no guessing.
    """
    if column.kind != "category" or column.distinct > 400:
        return [], {}
    same = _same_letters(column)
    intended = dict(same)
    common = [value for value in column.counts if value not in intended]
    for value in common:
        for other in common:
            often, seldom = column.counts[other], column.counts[value]
            if often >= max(4, 4 * seldom) and seldom <= 3 and _nearly(value.casefold(), other.casefold()):
                intended[value] = other
                break
    found = []
    for row, cell in enumerate(column.cells):
        right = intended.get(cell.strip())
        if right is not None:
            problem = f"looks like “{right}”, which {column.counts[right]} rows have"
            found.append(_at(table, row, column, "medium", problem, f"Write “{right}”."))
    return found[:MOST_PER_COLUMN], same


def _same_letters(column: Column) -> dict[str, str]:
    folded: dict[str, list[str]] = defaultdict(list)
    for value in column.counts:
        folded[re.sub(r"[\W_]+", "", value.casefold())].append(value)
    same: dict[str, str] = {}
    for letters, group in folded.items():
        best = max(group, key=lambda value: (column.counts[value], value))
        same.update({value: best for value in group if value != best and letters})
    return same


def _nearly(one: str, other: str) -> bool:
    if one == other or min(len(one), len(other)) < 4 or any(char.isdigit() for char in one + other):
        return False
    return distance(one, other, 2) <= (1 if min(len(one), len(other)) < 8 else 2)


def distance(one: str, other: str, bound: int) -> int:
    """The edits that lead from one to the other (optimal string alignment); `bound` + 1 if there are more."""
    if abs(len(one) - len(other)) > bound:
        return bound + 1
    before, line = [], list(range(len(other) + 1))
    for i, char in enumerate(one, start=1):
        before, last, line = line, before, [i]
        for j, against in enumerate(other, start=1):
            cost = min(before[j] + 1, line[j - 1] + 1, before[j - 1] + (char != against))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == against:
                cost = min(cost, last[j - 2] + 1)
            line.append(cost)
        if min(line) > bound:
            return bound + 1
    return line[-1]


def duplicates(table: Table, columns: list[Column]) -> tuple[list[Finding], list[int]]:
    """Rows that repeat another, and keys used twice. Also returns the indexes of exact copies.

    Where many rows are alike, as in measurements of one or two columns, that is no fault of theirs.
    """
    first: dict[tuple[str, ...], int] = {}
    original: dict[int, int] = {}
    for row, record in enumerate(table.rows):
        key = tuple(cell.strip() for cell in record)
        if first.setdefault(key, row) != row:
            original[row] = first[key]
    if len(columns) < 2 or len(original) > MANY_COPIES * len(table.rows):
        original = {}
    found = [
        Finding("high", table.numbers[row], "", "", f"the same as row {table.numbers[earlier]}", "Remove one of them.")
        for row, earlier in list(original.items())[:MOST_PER_COLUMN]
    ]
    copies = list(original)
    for column in columns:
        if _KEY_NAME.search(column.name) and column.distinct >= 0.9 * column.filled and column.filled > 10:
            repeated = {value for value, count in column.counts.items() if count > 1}
            rows = [row for row, cell in enumerate(column.cells) if cell.strip() in repeated and row not in original]
            for value in sorted(repeated):
                where = [row for row in rows if column.cells[row].strip() == value]
                if len(where) > 1:
                    found.append(
                        _at(
                            table,
                            where[1],
                            column,
                            "high",
                            f"key also used in row {table.numbers[where[0]]}",
                            "Give each row a key of its own.",
                        )
                    )
    return found, copies


def near_copies(table: Table, columns: list[Column], copies: list[int]) -> list[Finding]:
    """Rows that differ from another only in key, case, spaces or punctuation."""
    kept = [
        index
        for index, column in enumerate(columns)
        if column.kind not in {"identifier", "uuid"} and not _KEY_NAME.search(column.name)
    ]
    if len(kept) < 3:
        return []
    first: dict[tuple[str, ...], int] = {}
    found: list[Finding] = []
    exact = set(copies)
    for row, record in enumerate(table.rows):
        key = tuple(re.sub(r"[\W_]+", "", record[index].casefold()) for index in kept)
        if row in exact or sum(map(bool, key)) < 3:
            continue
        if key in first:
            problem = f"nearly the same as row {table.numbers[first[key]]}"
            found.append(Finding("medium", table.numbers[row], "", "", problem, "Check whether it was entered twice."))
        else:
            first[key] = row
    return found[:MOST_PER_COLUMN] if len(found) <= 0.2 * len(table.rows) else []


def broken_rules(table: Table, rules: list[Rule]) -> list[Finding]:
    """The cells that break a rule of the data."""
    found: list[Finding] = []
    for rule in rules:
        severity = "high" if rule.relation.kind == "formula" else "medium"
        for broken in rule.broken[:MOST_PER_COLUMN]:
            value = table.rows[broken.row][table.header.index(broken.column)].strip()
            found.append(
                Finding(severity, table.numbers[broken.row], broken.column, value, broken.problem, broken.suggestion)
            )
    return found


def merged(found: list[Finding]) -> list[Finding]:
    """One finding for each cell, worst first: what else is wrong with the cell is added to the worst."""
    order = {level: place for place, level in enumerate(SEVERITIES)}
    cells: dict[tuple[int, str], Finding] = {}
    others: list[Finding] = []
    for one in sorted(found, key=lambda one: order[one.severity]):
        first = cells.get((one.row, one.column))
        if not one.row or not one.column:
            others.append(one)
        elif first is None:
            cells[one.row, one.column] = one
        elif one.problem not in first.problem:
            cells[one.row, one.column] = replace(first, problem=f"{first.problem}; {one.problem}")
    return sorted([*cells.values(), *others], key=lambda one: (order[one.severity], one.row, one.column))


def missing(columns: list[Column], facts: list[Facts]) -> list[Finding]:
    """Columns with gaps."""
    found = []
    for column, fact in zip(columns, facts, strict=True):
        if column.kind == "empty":
            found.append(Finding("medium", 0, column.name, "", "no value in any row", "Drop the column."))
        elif fact.missing_share >= 0.05:
            severity = "medium" if fact.missing_share >= 0.2 else "low"
            tokens = Counter(column.cells[row].strip() for row in column.missing if column.cells[row].strip())
            written = f", written as {', '.join(repr(token) for token, _ in tokens.most_common(3))}" if tokens else ""
            problem = f"{fact.missing_share:.0%} of values are missing{written}"
            found.append(Finding(severity, 0, column.name, "", problem, "Find out why before you average."))
    return found


def _at(table: Table, row: int, column: Column, severity: str, problem: str, suggestion: str) -> Finding:
    value = column.cells[row].strip()
    shown = value if len(value) <= 80 else value[:79] + "…"
    return Finding(severity, table.numbers[row], column.name, shown, problem, suggestion)


def article(kind: str) -> str:
    """`a` or `an`."""
    return "an" if kind[0] in "aeiou" else "a"
