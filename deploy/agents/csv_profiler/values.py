"""What a single cell may be: missing, a number, a date, or text of a known form."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

_MISSING_WORDS = """
    - -- ? . n/a na #n/a nan null none nil missing unknown undefined (null) (none) (blank) k.a. n.a. tbd
    #ref! #value! #div/0!
"""
MISSING = frozenset({"", *_MISSING_WORDS.split()})
TRUE = frozenset({"true", "yes", "y", "t", "on", "ja", "oui", "sí", "si", "wahr", "vrai", "1", "x"})
FALSE = frozenset({"false", "no", "n", "f", "off", "nein", "non", "falsch", "faux", "0"})
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
FORMS = {
    "email": re.compile(r"[^\s@,;<>\"()]+@[^\s@,;<>\"().]+(?:\.[^\s@,;<>\"().]+)+"),
    "url": re.compile(r"(?:https?|ftp)://[^\s/$.?#].\S*", re.IGNORECASE),
    "uuid": re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE),
    "ip address": re.compile(rf"(?:{_BYTE}\.){{3}}{_BYTE}|[0-9a-f]{{0,4}}(?::[0-9a-f]{{0,4}}){{2,7}}", re.IGNORECASE),
    "hex address": re.compile(r"0x[0-9a-f]{40}(?:[0-9a-f]{24})?", re.IGNORECASE),
}

_CURRENCY = r"(?:US\$|[$€£¥₹]|USD|EUR|GBP|CHF)"
_ENGLISH = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")
_EUROPEAN = re.compile(r"[-+−]?(?:\d{1,3}(?:[.  ’']\d{3})+|\d+)?(?:,\d+)?(?:[eE][-+]?\d+)?")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janvier",
            "feb february februar février",
            "mar march märz mrz mars",
            "apr april avril",
            "may mai",
            "jun june juni juin",
            "jul july juli juillet",
            "aug august août",
            "sep sept september septembre",
            "oct october oktober okt octobre",
            "nov november novembre",
            "dec december dezember dez décembre",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2}|[AaPp]\.?[Mm]\.?)?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_MONTH_NAMED = re.compile(rf"(\d{{1,2}})\.?[ -]([^\W\d_]{{3,9}})\.?[ ,-]+(\d{{4}}){_TIME}")
_MONTH_FIRST = re.compile(rf"([^\W\d_]{{3,9}})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}}){_TIME}")


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How a column writes its numbers."""

    decimal: str  # "." or ","

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a number looks like."""
        return _ENGLISH if self.decimal == "." else _EUROPEAN

    def parse(self, cell: str) -> float | None:
        """The number in a cell, or None. Currency signs are dropped, `12%` is 12, and `(12)` is -12."""
        text = cell.strip()
        negative = text.startswith("(") and text.endswith(")")
        text = re.sub(rf"^{_CURRENCY}\s?|\s?(?:{_CURRENCY}|%)$", "", text[1:-1] if negative else text).strip()
        if not text or not any(char.isdigit() for char in text) or not self.pattern.fullmatch(text):
            return None
        plain = text.replace("−", "-")
        grouping = r"," if self.decimal == "." else r"[.  ’']"
        plain = re.sub(grouping, "", plain).replace(",", ".")
        value = float(plain)
        if value in (float("inf"), float("-inf")):
            return None
        return -value if negative else value


ENGLISH, EUROPEAN = NumberStyle("."), NumberStyle(",")


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is nothing in it."""
    return cell.strip().lower() in MISSING


def is_number_like(cell: str) -> bool:
    """Whether a cell is a number in either style."""
    return ENGLISH.parse(cell) is not None or EUROPEAN.parse(cell) is not None


def number_style(cells: Iterable[str]) -> NumberStyle:
    """The style in which more of the cells are numbers; of equal ones the English."""
    english = european = 0
    for cell in cells:
        english += ENGLISH.parse(cell) is not None
        european += EUROPEAN.parse(cell) is not None
    return EUROPEAN if european > english else ENGLISH


def day_first(cells: Iterable[str]) -> bool | None:
    """Whether dates such as 03/04/2024 begin with the day; None where no cell tells."""
    day = month = 0
    for cell in cells:
        if match := _YEAR_LAST.fullmatch(cell.strip()):
            day += int(match[1]) > 12 >= int(match[3])
            month += int(match[3]) > 12 >= int(match[1])
            if match[2] == ".":
                day += 1
    if day == month:
        return None
    return day > month


def parse_date(cell: str, day_comes_first: bool) -> datetime | None:
    """The date in a cell, or None. Time zones are ignored: what is compared stands in one column."""
    text = cell.strip()
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
        rest = match.groups()[3:]
    elif match := _YEAR_LAST.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        day, month = (first, second) if day_comes_first else (second, first)
        year += 0 if year > 99 else 2000 if year < 70 else 1900
        rest = match.groups()[4:]
    elif match := _MONTH_NAMED.fullmatch(text):
        day, month, year = int(match[1]), _MONTHS.get(match[2].lower(), 0), int(match[3])
        rest = match.groups()[3:]
    elif match := _MONTH_FIRST.fullmatch(text):
        month, day, year = _MONTHS.get(match[1].lower(), 0), int(match[2]), int(match[3])
        rest = match.groups()[3:]
    else:
        return None
    hour, minute, second_, zone = (rest[0] or "0", rest[1] or "0", rest[2] or "0", (rest[3] or "").lower())
    clock = int(hour)
    if zone.startswith(("a", "p")):
        clock = clock % 12 + (12 if zone.startswith("p") else 0)
    try:
        return datetime(year, month, day, clock, int(minute), int(second_))  # noqa: DTZ001  a wall-clock time
    except ValueError:
        return None


def parse_boolean(cell: str) -> bool | None:
    """True or False for the usual words of several languages, else None."""
    text = cell.strip().lower()
    return True if text in TRUE else False if text in FALSE else None
