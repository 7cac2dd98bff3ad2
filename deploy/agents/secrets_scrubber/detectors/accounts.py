"""Payment cards and bank accounts."""

import re
from collections.abc import Iterator

from .. import checksums
from ..spans import Kind, Span, near

CARD = Kind("payment card", "CARD", "high", "Do not store or send card numbers in the clear (PCI DSS 3.4).")
SECURITY_CODE = Kind("card security code", "CARD_CODE", "high", "Never store it, not even masked (PCI DSS 3.2).")
BANK = Kind("bank account", "ACCOUNT", "medium", "Share it only with who has to pay.")
KINDS = (CARD, SECURITY_CODE, BANK)

_CARD = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-]|\.\d)")
_ISSUERS = (
    (re.compile(r"4\d{12}(?:\d{3}){0,2}"), "Visa"),
    (re.compile(r"(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"), "Mastercard"),
    (re.compile(r"3[47]\d{13}"), "American Express"),
    (re.compile(r"(?:6011|65\d{2}|64[4-9]\d)\d{12}"), "Discover"),
    (re.compile(r"3(?:0[0-5]|[68]\d)\d{11}"), "Diners Club"),
    (re.compile(r"35(?:2[89]|[3-8]\d)\d{12}"), "JCB"),
    (re.compile(r"62\d{14,17}"), "UnionPay"),
    (re.compile(r"(?:50\d{2}|5[6-9]\d{2}|6\d{3})\d{8,15}"), "Maestro"),
)
_CODE = re.compile(
    r"(?i)\b(?:cvv2?|cvc2?|card (?:security|verification) code|prüfziffer)\b\W{0,4}(?P<value>\d{3,4})(?!\d)"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
_ACCOUNT_CONTEXT = re.compile(r"(?i)account (?:no|number|#)|acct|konto(?:nummer|nr)?|routing|sort code|compte")
_ACCOUNT = re.compile(r"(?<![\w-])\d{2}-\d{2}-\d{2}(?!\d)|(?<![\w.-])\d{7,12}(?![\w-])")


def cards(text: str) -> Iterator[Span]:
    """Numbers of a known issuer with the right check digit, and security codes beside them."""
    for match in _CARD.finditer(text):
        plain = re.sub(r"\D", "", match[0])
        issuer = next((name for pattern, name in _ISSUERS if pattern.fullmatch(plain)), "")
        if issuer and checksums.luhn(plain) and len(set(plain)) > 1:
            yield Span(CARD, *match.span(), 0.97, f"{issuer} number, check digit right")
    for match in _CODE.finditer(text):
        yield Span(SECURITY_CODE, *match.span("value"), 0.93, "a number called a card's security code")


def bank_accounts(text: str) -> Iterator[Span]:
    """IBANs with right check digits; other account numbers where they are called so."""
    for match in _IBAN.finditer(text):
        # What follows an IBAN may look like more of it: the country says how long it is.
        length = checksums.IBAN_LENGTHS.get(match[0][:2], 0)
        end, count = match.start(), 0
        while end < match.end() and count < length:
            count += text[end] != " "
            end += 1
        whole = end == len(text) or not text[end].isalnum()
        if count == length and whole and checksums.iban(text[match.start() : end]):
            yield Span(BANK, match.start(), end, 1.0, f"IBAN of {match[0][:2]}, check digits right")
    for match in _ACCOUNT.finditer(text):
        if near(text, *match.span(), _ACCOUNT_CONTEXT, before=30):
            yield Span(BANK, *match.span(), 0.8, "a number called an account")
