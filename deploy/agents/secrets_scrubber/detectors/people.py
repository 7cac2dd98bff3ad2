"""Names, and how to reach people."""

import re
from collections.abc import Iterator

from ..spans import Kind, Span, near

EMAIL = Kind("e-mail address", "EMAIL", "medium", "Ask whether the reader needs it.")
TELEPHONE = Kind("telephone number", "PHONE", "medium", "Ask whether the reader needs it.")
STREET = Kind("postal address", "ADDRESS", "medium", "A town will often do.")
NAME = Kind("name", "NAME", "medium", "A role will often do.")
KINDS = (EMAIL, TELEPHONE, STREET, NAME)

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,6}[^\W\d_]{2,24}(?![\w-])")
_ADDRESS_HEAD = re.compile(r"://[^\s/\"'<>]*$")
_TELEPHONE = re.compile(r"(?<![\w.#/-])(?:\+|00)?\(?\d[\d ()./\u2011-]{6,22}\d(?![\w-]|[.,]\d)")
_TELEPHONE_CONTEXT = re.compile(
    r"(?i)tel(?:ephone|efon|\b)|phone|mobile|\bmob\b|cell|fax|call|handy|mobil|rückruf|portable|móvil|whatsapp|signal|"
    r"text me|\bat\b:?\s*$"
)
_AMERICAN = re.compile(r"(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}")
_DATE_LIKE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?:[ T]\d{1,2}.*)?|\d{4}[ -]\d{4}")
_SUFFIX = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Terrace|Way|Close|"
    r"Crescent)"
)
_POSTCODE = r"(?:[A-Z]{2}\s+\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
_ENGLISH_STREET = re.compile(
    r"(?<![\w-])\d{1,5}[A-Za-z]?(?:-\d{1,5})? (?:(?:[NSEW]|North|South|East|West)\.? )?"
    rf"(?:[A-Z][\w'’.-]+ ){{1,3}}{_SUFFIX}\b\.?"
    r"(?:,? (?:Apt|Apartment|Suite|Unit|Flat|#)\.? ?\w{1,6})?"
    rf"(?:(?:,\s*[A-Z][\w .'-]{{1,30}}?)?,?\s*{_POSTCODE}|,\s*[A-Z][\w'-]+(?: [A-Z][\w'-]+)?)?"
)
_ENDINGS = r"(?:straße|strasse|str\.|weg|gasse|platz|allee|ring|ufer|damm)"
_GERMAN_STREET = re.compile(
    rf"(?<![\w-])(?:[A-ZÄÖÜ][\wäöüß.-]*{_ENDINGS}|(?:[A-ZÄÖÜ][\wäöüß.-]+ ){{1,2}}"
    r"(?:Straße|Strasse|Str\.|Weg|Gasse|Platz|Allee|Ring|Ufer|Damm)) \d{1,4} ?[a-z]?(?![\w.])"
    r"(?:,?\s+(?:[A-Z]{1,2}-)?\d{4,5} [A-ZÄÖÜ][\wäöüß-]+)?"
)
_FRENCH_STREET = re.compile(
    r"(?<![\w-])\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|impasse|allée|quai) "
    r"(?:(?:de|du|des|la|le|les|d'|l') ?){0,2}[A-ZÉ][\w'é-]+(?: [A-ZÉ][\w'é-]+){0,3}"
    r"(?:,?\s+\d{5} [A-ZÉ][\w'é-]{2,30})?"
)
_WORD = r"[A-ZÀ-ÖØ-ÞŁŚŻČŠŽ][a-zß-öø-ÿłśżčšžğıńęąó]+(?:[-'’][A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+)?"
_PARTICLE = r"(?:(?:van|von|de|der|den|di|da|la|el|bin|al|Mc|Mac|O)[ '’]?)"
_FULL = rf"{_WORD}(?:[ \t]+{_PARTICLE}{{0,2}}(?:[A-Z]\.[ \t]+)?{_WORD}){{1,2}}"
_ONE = rf"(?P<value>{_FULL}|{_WORD})"
_TITLES = r"Mr|Mrs|Ms|Mx|Dr|Prof|Sir|Herrn?|Frau|Monsieur|Madame|Mme|Señora?|Signora?"
_INTRODUCTIONS = r"my name is|i am called|this is|ich heiße|mein name ist|je m'appelle|me llamo"
_FIELDS = (
    r"full[ _-]?name|first[ _-]?name|last[ _-]?name|surname|customer|client|patient|employee|contact|tenant|insured|"
    r"applicant|account holder|card ?holder|name|kunde|kundin|patientin?|nachname|vorname"
)
_GREETINGS = r"Dear|Hi|Hello|Hey|Hallo|Lieber?|Bonjour|Cher|Chère|Hola|Estimad[oa]"
_CLOSINGS = (
    r"regards|sincerely|best wishes|best|cheers|thanks|thank you|cordially|yours|grüßen|grüße|gruß|cordialement|saludos"
)
_NAME_CONTEXTS = (
    (re.compile(rf"\b(?:{_TITLES})\.?[ \t]+{_ONE}"), 0.92, "after a form of address"),
    (re.compile(rf"(?i:\b(?:{_INTRODUCTIONS}))[ \t]+{_ONE}"), 0.85, "where someone says who they are"),
    (re.compile(rf"(?i:\b(?:{_FIELDS})[\"']?)[ \t]*[:=][ \t]*[\"']?{_ONE}"), 0.88, "in a field for names"),
    (re.compile(rf"(?:^|\n)(?:{_GREETINGS})[ \t]+{_ONE}(?=[ \t]*[,!:\n])"), 0.85, "in a greeting"),
    (re.compile(rf"(?i:(?:{_CLOSINGS})),?[ \t]*\n+[ \t]*{_ONE}[ \t]*(?=\n|$)"), 0.88, "under a closing"),
    (
        re.compile(rf"(?im:^(?:from|to|cc|von|an|de|à):)[ \t]*\"?(?P<value>{_FULL})\"?(?=[ \t]*<)"),
        0.93,
        "beside an e-mail address",
    ),
    (re.compile(rf"(?P<value>{_FULL})[ \t]*[<(][\w.+-]+@"), 0.9, "beside an e-mail address"),
)
_NOT_NAMES = """
    sir madam team all everyone everybody there customer colleagues support sales friends folks service
    department user admin the this that here damen herren world group committee hiring manager january february
    march april may june july august september october november december monday tuesday wednesday thursday
    friday saturday sunday
"""
_NO_NAMES = frozenset(_NOT_NAMES.split())


# First names that are words as well.
_EVERYDAY = frozenset(
    {"will", "may", "mark", "grant", "rose", "art", "bill", "frank", "hope", "grace", "joy", "faith", "van"}
)


def emails(text: str) -> Iterator[Span]:
    """Addresses as people write them."""
    for match in _EMAIL.finditer(text):
        local = match[0].split("@")[0]
        start = match.start() + len(local) - len(local.lstrip("'"))
        if _ADDRESS_HEAD.search(text[max(0, start - 100) : start]):
            continue  # user:password@host
        yield Span(EMAIL, start, match.end(), 0.98, "an address with an @ and a domain")


def telephones(text: str) -> Iterator[Span]:
    """Numbers with a country code, in the American form, or where a telephone is spoken of."""
    for match in _TELEPHONE.finditer(text):
        number = match[0]
        start, end = match.start(), match.end()
        count = sum(char.isdigit() for char in number)
        if not 7 <= count <= 15 or _DATE_LIKE.fullmatch(number) or len(set(re.sub(r"\D", "", number))) < 3:
            continue
        if number.count("(") != number.count(")"):
            continue
        told = near(text, start, end, _TELEPHONE_CONTEXT, before=30)
        if number.startswith(("+", "00")) and count >= 9 and number.lstrip("+0(")[:1].isdigit():
            yield Span(TELEPHONE, start, end, 0.96, "begins with a country code")
        elif _AMERICAN.fullmatch(number):
            yield Span(TELEPHONE, start, end, 0.93 if told else 0.8, "the American form")
        elif told:
            yield Span(TELEPHONE, start, end, 0.88, "a telephone is spoken of")
        elif re.fullmatch(r"0\d{2,5}[ /-]+\d{3,9}(?:[ -]\d{1,5}){0,3}", number) and count >= 9:
            yield Span(TELEPHONE, start, end, 0.7, "begins with an area code")


def streets(text: str) -> Iterator[Span]:
    """Street and number, with the town where it follows."""
    for pattern, sure in ((_ENGLISH_STREET, 0.8), (_GERMAN_STREET, 0.85), (_FRENCH_STREET, 0.85)):
        for match in pattern.finditer(text):
            yield Span(STREET, match.start(), match.start() + len(match[0].rstrip(" ,")), sure, "a street and a number")


def names(text: str) -> Iterator[Span]:
    """Names where the text says that they are, where an e-mail address repeats them, and then wherever they recur."""
    known: dict[str, float] = {}
    for pattern, sure, reason in _NAME_CONTEXTS:
        for match in pattern.finditer(text):
            value = match["value"]
            if not {word.lower() for word in value.split()} & _NO_NAMES:
                known[value] = max(known.get(value, 0.0), sure)
                yield Span(NAME, *match.span("value"), sure, f"a name {reason}")
    for match in _EMAIL.finditer(text):
        parts = [part for part in re.split(r"[._-]", match[0].split("@")[0]) if part.isalpha() and len(part) > 2]
        if len(parts) == 2:
            known.setdefault(" ".join(part.capitalize() for part in parts), 0.85)
    for value, sure in known.items():
        yield from _again(text, value, sure)


def _again(text: str, value: str, sure: float) -> Iterator[Span]:
    """The other places of a name: whole, and its parts where these are no everyday words."""
    words = value.split()
    pieces = [value, *(word for word in words if len(word) > 2 and len(words) > 1 and word.lower() not in _EVERYDAY)]
    for piece in pieces:
        # A first name may be followed by the last name that a greeting left out.
        surname = rf"(?: {_WORD})?" if piece == value and len(words) == 1 else ""
        for match in re.finditer(rf"(?<![\w@.-]){re.escape(piece)}{surname}(?![\w@-])", text):
            reason = "a name found elsewhere in the text" if piece == value else "part of a name found elsewhere"
            yield Span(NAME, *match.span(), round(sure - (0.05 if piece == value else 0.15), 2), reason)
