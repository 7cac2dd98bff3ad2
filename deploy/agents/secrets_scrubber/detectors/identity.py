"""Numbers that states give to people, and birthdays."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .. import checksums
from ..spans import Kind, Span, near

NATIONAL = Kind(
    "national identity number",
    "NATIONAL_ID",
    "high",
    "Keep it out of messages: with a name it is enough for identity theft.",
)
DOCUMENT = Kind("identity document", "DOCUMENT", "high", "Send a masked copy instead.")
BIRTH = Kind("date of birth", "BIRTH_DATE", "medium", "An age or a year will often do.")
KINDS = (NATIONAL, DOCUMENT, BIRTH)


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Number:
    """How a country's number is recognised; with `context`, only where it is spoken of."""

    whose: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    sure: float
    context: re.Pattern[str] | None = None
    proof: str = ", check digits right"


def _number(
    whose: str,
    pattern: str,
    check: Callable[[str], bool],
    sure: float,
    context: str = "",
    proof: str = ", check digits right",
) -> _Number:
    about = re.compile(rf"(?i){context}") if context else None
    return _Number(whose, re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])"), check, sure, about, proof)


_NINO = r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"
_NIR = r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}"
_CODICE = r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"
_TAX = "steuer|tax|idnr|identifikationsnummer"
_NUMBERS = (
    _number("US social security number", r"\d{3}-\d{2}-\d{4}", checksums.social_security_number, 0.9,
            proof=", in a range that is issued"),
    _number("British national insurance number", _NINO, _always, 0.88, proof=""),
    _number("French social security number", _NIR, checksums.french_number, 0.97),
    _number("Spanish DNI or NIE", r"(?:\d{8}|[XYZ]\d{7})[ -]?[A-HJ-NP-TV-Z]", checksums.spanish_number, 0.9),
    _number("Italian codice fiscale", _CODICE, checksums.italian_code, 0.98),
    _number("Swiss social insurance number", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", checksums.ean13, 0.97),
    _number("Brazilian CPF", r"\d{3}\.\d{3}\.\d{3}-\d{2}", checksums.brazilian_number, 0.97),
    _number("German tax number", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", checksums.german_tax_number, 0.95, _TAX),
    _number("Dutch BSN", r"\d{9}", checksums.dutch_number, 0.95, r"\bbsn|burgerservice|sofi"),
    _number("British NHS number", r"\d{3} ?\d{3} ?\d{4}", checksums.health_number, 0.95, r"\bnhs\b"),
)  # fmt: skip
_PAPERS = (
    r"passport|reisepass|passeport|pasaporte|driver'?s? licen[cs]e|führerschein|identity card|id card|"
    r"personalausweis|visa"
)
_DOCUMENT = re.compile(
    rf"(?i)\b(?:{_PAPERS})\b[^\n\w]{{0,3}}(?:(?:no|nr|number|nummer|num)\b\.?)?[^\n\w]{{0,4}}"
    r"(?P<value>(?=[A-Z0-9-]*\d)[A-Z0-9][A-Z0-9-]{5,14})\b"
)
_DATE = (
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\d{1,2}\.? [A-Z][a-zé]{2,8}\.? \d{4}|"
    r"[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,? \d{4}"
)
_BORN = (
    r"born(?: on)?|date of birth|birth ?date|birthday|d\.?o\.?b\.?|geb(?:oren)?\.?(?: am)?|geburtsdatum|né(?:e)? le|"
    r"date de naissance|nacid[oa] el|fecha de nacimiento"
)
_BIRTH = re.compile(rf"(?i:\b(?:{_BORN})(?!\w))[^\n\w]{{0,4}}(?P<value>{_DATE})")


def numbers(text: str) -> Iterator[Span]:
    """National numbers with a right check digit, or where they are spoken of."""
    for number in _NUMBERS:
        for match in number.pattern.finditer(text):
            told = number.context is None or near(text, *match.span(), number.context)
            if told and number.check(match[0]):
                yield Span(NATIONAL, *match.span(), number.sure, number.whose + number.proof)


def documents(text: str) -> Iterator[Span]:
    """Passport and licence numbers, which have no check digit and must be called so."""
    for match in _DOCUMENT.finditer(text):
        yield Span(DOCUMENT, *match.span("value"), 0.85, "a number called a passport, licence or identity card")


def births(text: str) -> Iterator[Span]:
    """Dates that are called a day of birth."""
    for match in _BIRTH.finditer(text):
        yield Span(BIRTH, *match.span("value"), 0.92, "a date called a day of birth")
