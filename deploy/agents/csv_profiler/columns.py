"""What kind of thing a column holds, and its figures."""

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean

from . import numeric
from .values import FORMS, NumberStyle, day_first, is_missing, number_style, parse_boolean, parse_date

SURE = 0.9  # share of the filled cells that must fit a kind
LIKELY = 0.75  # from here the kind is taken, and what does not fit is reported
MOST_CATEGORIES = 60


@dataclass(slots=True)
class Column:
    """A profiled column. `numbers`, `dates` and `invalid` are by row index."""

    name: str
    cells: list[str]
    kind: str = "text"
    missing: list[int] = field(default_factory=list)
    numbers: dict[int, float] = field(default_factory=dict)
    dates: dict[int, datetime] = field(default_factory=dict)
    invalid: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    style: NumberStyle | None = None
    date_day_first: bool = True

    @property
    def filled(self) -> int:
        """Cells that hold something."""
        return len(self.cells) - len(self.missing)

    @property
    def distinct(self) -> int:
        """Different values."""
        return len(self.counts)

    @property
    def is_numeric(self) -> bool:
        """Whether its figures can be compared."""
        return self.kind in {"integer", "decimal"}

    @property
    def is_categorical(self) -> bool:
        """Whether it sorts the rows into groups."""
        return self.kind in {"category", "boolean"}


def profile(name: str, cells: list[str]) -> Column:
    """Find out what the column holds."""
    column = Column(name, cells)
    column.missing = [row for row, cell in enumerate(cells) if is_missing(cell)]
    absent = set(column.missing)
    present = [row for row in range(len(cells)) if row not in absent]
    column.counts = Counter(cells[row].strip() for row in present)
    if not present:
        column.kind = "empty"
    elif not (
        _as_boolean(column, present)
        or _as_number(column, present)
        or _as_date(column, present)
        or _as_form(column, present)
    ):
        _as_text(column)
    if column.distinct == 1 and column.filled > 1:
        column.notes.append("the same value in every row")
    return column


def _as_boolean(column: Column, present: list[int]) -> bool:
    words = {value.lower() for value in column.counts}
    if len(words) > 3 or column.filled < 2 or (words <= {"0", "1"} and len(words) < 2) or words <= {"x", "1"}:
        return False
    if any(parse_boolean(value) is None for value in column.counts):
        return False
    column.kind = "boolean"
    return True


def _as_number(column: Column, present: list[int]) -> bool:
    style = number_style(column.counts)
    parsed = {row: value for row in present if (value := style.parse(column.cells[row])) is not None}
    if len(parsed) < LIKELY * len(present):
        return False
    if any(
        column.cells[row].strip().lstrip("-").startswith("0")
        and column.cells[row].strip().isdigit()
        and len(column.cells[row].strip()) > 1
        for row in parsed
    ):
        # Leading zeros mean a code, such as a postal code, that must not be read as a number.
        column.notes.append("digits with leading zeros: kept as text")
        return False
    column.style, column.numbers = style, parsed
    column.invalid = [row for row in present if row not in parsed]
    whole = all(value == int(value) for value in parsed.values())
    column.kind = "integer" if whole else "decimal"
    if whole and column.distinct == len(present) > 5 and _is_running(list(parsed.values())):
        column.kind = "identifier"
    if style.decimal == ",":
        column.notes.append("decimal comma")
    return True


def _is_running(values: list[float]) -> bool:
    """Whether numbers count up, as a key does."""
    ordered = sorted(values)
    return values == ordered and (ordered[-1] - ordered[0] + 1) <= 1.5 * len(ordered)


def _as_date(column: Column, present: list[int]) -> bool:
    first = day_first(column.counts)
    column.date_day_first = first is not False
    parsed = {
        row: date for row in present if (date := parse_date(column.cells[row], column.date_day_first)) is not None
    }
    if len(parsed) < LIKELY * len(present):
        return False
    column.dates = parsed
    column.invalid = [row for row in present if row not in parsed]
    column.kind = "date" if all(d.time() == datetime.min.time() for d in parsed.values()) else "date and time"
    shapes = {_shape(column.cells[row]) for row in parsed}
    if len(shapes) > 1:
        column.notes.append(f"{len(shapes)} ways of writing a date")
    return True


def _shape(cell: str) -> str:
    """How a date is written: 3.4.2024 and 13.11.2024 alike, 2024-04-03 not."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell.strip()))


def _as_form(column: Column, present: list[int]) -> bool:
    for kind, pattern in FORMS.items():
        fitting = {row for row in present if pattern.fullmatch(column.cells[row].strip())}
        if len(fitting) >= LIKELY * len(present):
            column.kind = kind
            column.invalid = [row for row in present if row not in fitting]
            return True
    return False


def _as_text(column: Column) -> None:
    filled, distinct = column.filled, column.distinct
    if filled > 5 and distinct >= 0.95 * filled and _is_code(column):
        column.kind = "identifier"
    elif distinct <= min(MOST_CATEGORIES, max(2, filled * 0.5)) or distinct <= 3:
        column.kind = "category"
    else:
        column.kind = "text"


def _is_code(column: Column) -> bool:
    """Whether all values have one of very few shapes, none with spaces: codes and not prose."""
    shapes = Counter(
        "".join("9" if c.isdigit() else "A" if c.isalpha() else c for c in value) for value in column.counts
    )
    return not any(" " in shape for shape in shapes) and shapes.most_common(1)[0][1] >= SURE * column.distinct


@dataclass(frozen=True, slots=True)
class Facts:
    """A column's row in the result. Texts are empty where a figure has no meaning for the kind."""

    name: str
    kind: str
    filled: int
    missing_share: float
    distinct: int
    minimum: str
    median: str
    mean: str
    maximum: str
    distribution: str
    common_values: str
    notes: str


def facts(column: Column) -> Facts:
    """The figures of a column, written for people."""
    low = middle = mean = high = bars = ""
    if column.is_numeric:
        values = sorted(column.numbers.values())
        low, high = numeric.short(values[0]), numeric.short(values[-1])
        middle, mean = numeric.short(numeric.quantile(values, 0.5)), numeric.short(fmean(values))
        bars = numeric.histogram(values)
    elif column.dates:
        dates = sorted(column.dates.values())
        length = 10 if column.kind == "date" else 16
        low, middle, high = (date.isoformat(" ")[:length] for date in (dates[0], dates[len(dates) // 2], dates[-1]))
        bars = numeric.histogram([(date - dates[0]).total_seconds() for date in dates])
    elif column.kind == "text":
        lengths = sorted(len(value) for value in column.counts.elements())
        low, middle, high = (
            f"{length:g} characters" for length in (lengths[0], numeric.quantile(lengths, 0.5), lengths[-1])
        )
    common = ""
    if column.kind not in {"identifier", "empty", "text", "uuid"} and column.distinct < column.filled:
        top = column.counts.most_common(4)
        if top[0][1] > 1:
            common = ", ".join(f"{_clip(value)} ({count / column.filled:.0%})" for value, count in top)
    return Facts(
        name=column.name,
        kind=column.kind,
        filled=column.filled,
        missing_share=round(len(column.missing) / len(column.cells), 4),
        distinct=column.distinct,
        minimum=low,
        median=middle,
        mean=mean,
        maximum=high,
        distribution=bars,
        common_values=common,
        notes="; ".join(_notes(column)),
    )


def _notes(column: Column) -> list[str]:
    notes = list(column.notes)
    if column.is_numeric and column.filled >= 20:
        values = list(column.numbers.values())
        skew = numeric.skewness(values)
        if abs(skew) > 1:
            notes.append(f"long tail {'above' if skew > 0 else 'below'}")
        zeros = sum(value == 0 for value in values) / len(values)
        if 0.2 < zeros < 1:
            notes.append(f"{zeros:.0%} zeros")
    if column.is_categorical and column.distinct > 1:
        total = column.counts.total()
        entropy = -math.fsum(n / total * math.log2(n / total) for n in column.counts.values())
        if entropy / math.log2(column.distinct) < 0.35:
            notes.append("one value dominates")
    if column.invalid:
        notes.append(f"{len(column.invalid)} do not fit the kind")
    return notes


def _clip(value: str, length: int = 24) -> str:
    return value if len(value) <= length else value[: length - 1] + "…"
