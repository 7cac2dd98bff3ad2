"""The wordings by which figures, duties, dates and names are recognised."""

import re

_MONTHS_EN = (
    r"Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?"
)
MONTH = rf"(?:{_MONTHS_EN}|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember)"
_DAYS = (
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|"
    r"Sonntag"
)
_NUMBER = r"(?:\d{1,3}(?:[,. ’']\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|Mio\.?|Mrd\.?|bn|[kKmM](?!\w)))?"
_CODES = r"USD|EUR|GBP|CHF|JPY|ETH|BTC|USDC"

_MONEY = re.compile(
    rf"(?:(?:US|A|C)?[$€£¥]\s?{_NUMBER}{_SCALE}"
    rf"|(?:\b(?:{_CODES})\s){_NUMBER}{_SCALE}"
    rf"|\b{_NUMBER}{_SCALE}\s?(?:€|{_CODES}|dollars?|euros?|pounds?)(?!\w))"
)
_PERCENT = re.compile(rf"[-+−]?{_NUMBER}\s?(?:%|percent(?:age points?)?\b|per cent\b|Prozent\b|pour cent\b)")
DATE = (
    r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4}"
    rf"|{MONTH}\.?\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?"
    rf"|\d{{1,2}}\.?\s{MONTH}(?:\s\d{{4}})?"
    rf"|{MONTH}\s\d{{4}}|Q[1-4]\s\d{{4}})"
)
_TIME = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?(?:\s?(?:[ap]\.?m\.?|UTC|GMT|CES?T|[EP][SD]T))?(?!\w)")
_QUANTITY = re.compile(rf"(?<![\w.,:/#-])(?!(?:19|20)\d{{2}}\s){_NUMBER}{_SCALE}\s(?!{MONTH}\b)[^\W\d_]{{2,}}")
# In this order: what one has taken, the next ones leave alone.
FIGURES = (
    ("money", _MONEY),
    ("percent", _PERCENT),
    ("date", re.compile(rf"\b{DATE}\b")),
    ("time", _TIME),
    ("quantity", _QUANTITY),
)

_PROMISES = r"agreed to|committed to|promised to"
_MUST = rf"must|needs? to|has to|have to|{_PROMISES}|please|muss|müssen|bitte|il faut|doivent|hay que|deben"
_MAY = r"will|shall|should|is to|are to|is going to|are going to|soll|sollen|wird|doit|debe|follow[- ]up"
_LABEL = r"^(?:TODO|Action(?: item)?|Next steps?|Aufgabe)\b"
DUTY = re.compile(rf"{_LABEL}|\b(?:{_MUST})\b", re.IGNORECASE)
PLAN = re.compile(rf"\b(?:{_MAY})\b", re.IGNORECASE)
_PERIOD = rf"(?:day|week|month|quarter|year|Q[1-4]|{MONTH})"
DUE = re.compile(
    r"\b(?:by|before|until|no later than|due|on|bis|avant|antes del?)\s+(?:zum\s+)?("
    rf"(?:the\s+)?end of (?:the )?{_PERIOD}"
    rf"|(?:next\s+|this\s+)?(?:{_DAYS}|week|month|quarter)"
    rf"|tomorrow|{DATE}|{MONTH}|Q[1-4])(?!\w)",
    re.IGNORECASE,
)

_NAME_WORD = r"(?:[A-ZÀ-ÖØ-ÞŁŚŻČŠŽ][\w’'&.-]*\w|[A-Z]{2,})"
_LINK = r"(?:of|de|von|van|der|den|da|di|du|la|and|&)"
NAME = re.compile(rf"{_NAME_WORD}(?:\s+(?:{_LINK}\s+)?{_NAME_WORD})*")
NO_NAME = re.compile(rf"{MONTH}|{_DAYS}|UTC|GMT|CES?T|[EP][SD]T|[IVXL]+|OK|AM|PM|TODO|FAQ|PDF|Mrs?|Ms|Dr|Prof")
ORGANISATION = re.compile(
    r"\b(?:Inc|Ltd|LLC|Corp|GmbH|AG|SA|SE|plc|Bank|University|Institute|Ministry|Council|Commission|Group|Foundation|"
    r"Labs|Association|Agency|Committee|Department|Team|Company|Union)\b"
)
TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|Sir|Lady|President|Minister|Professor|Herr|Frau|Mme|M)\.?\s+$")
OWNER = re.compile(
    rf"^\W*({NAME.pattern})(?:\s*\([^)]*\))?\s*"
    rf"(?::|(?:will|shall|must|needs? to|has to|is to|should|{_PROMISES}|is going to|muss|wird|soll)\b)"
)
