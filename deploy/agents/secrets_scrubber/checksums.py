"""Check digits, by which a number that means something is told from one that only looks like it."""

import hashlib
import zlib

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What the characters in odd places of an Italian codice fiscale count for, in the order of _BASE36.
_ODD_DIGITS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS = (*_ODD_DIGITS, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ODD_VALUES = (*_ODD_DIGITS, *_ODD_LETTERS)
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_IBAN_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS",
    23: "AE GI IL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "PT",
    26: "IS TR",
    27: "FR GR IT MC SM",
    28: "AL AZ CY DO GT HU LB PL",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT",
}
IBAN_LENGTHS = {country: length for length, countries in _IBAN_COUNTRIES.items() for country in countries.split()}


def digits(text: str) -> list[int]:
    """The ASCII digits of a text."""
    return [int(char) for char in text if char in "0123456789"]


def luhn(text: str) -> bool:
    """Whether the digits end in the check digit of ISO/IEC 7812 (payment cards, IMEI)."""
    found = digits(text)
    doubled = [sum(divmod(2 * digit, 10)) for digit in found[-2::-2]]
    return len(found) > 1 and (sum(found[-1::-2]) + sum(doubled)) % 10 == 0


def iban(text: str) -> bool:
    """Whether the text is an IBAN of its country's length with right check digits (ISO 13616)."""
    plain = "".join(text.split()).upper()
    if len(plain) != IBAN_LENGTHS.get(plain[:2]) or not plain.isalnum() or not plain.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


def base58check(text: str) -> bool:
    """Whether the text is Base58 with a right checksum (Bitcoin addresses and private keys)."""
    number = 0
    for char in text:
        place = _BASE58.find(char)
        if place < 0:
            return False
        number = number * 58 + place
    leading = len(text) - len(text.lstrip("1"))
    raw = b"\x00" * leading + number.to_bytes((number.bit_length() + 7) // 8, "big")
    return len(raw) > 4 and hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def bech32(text: str) -> bool:
    """Whether the text is Bech32 or Bech32m with a right checksum (BIP 173 and 350)."""
    text = text.lower()
    prefix, _, data = text.rpartition("1")
    if not prefix or len(data) < 6 or any(char not in _BECH32 for char in data):
        return False
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = 1
    for value in values + [_BECH32.index(char) for char in data]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for place, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= part if top >> place & 1 else 0
    return check in (1, 0x2BC830A3)


def github_token(token: str) -> bool:
    """Whether the last six characters are the token's CRC-32 in Base62, as in all GitHub tokens since 2021."""
    body, given = token.split("_", 1)[1][:-6], token[-6:]
    check, written = zlib.crc32(body.encode()), ""
    while check:
        check, rest = divmod(check, 62)
        written = _BASE62[rest] + written
    return written.rjust(6, "0") == given


def social_security_number(text: str) -> bool:
    """Whether a US social security number can have been issued."""
    area, group, serial = int(text[:3]), int(text[4:6]), int(text[7:])
    return area not in (0, 666) and area < 900 and group != 0 and serial != 0


def french_number(text: str) -> bool:
    """Whether the two last digits of a French social security number (NIR) are its key."""
    plain = "".join(text.split()).upper().replace("2A", "19").replace("2B", "18")
    return plain.isdigit() and len(plain) == 15 and 97 - int(plain[:13]) % 97 == int(plain[13:])


def spanish_number(text: str) -> bool:
    """Whether the last letter of a Spanish DNI or NIE is right."""
    plain = text.upper().replace("-", "").replace(" ", "")
    number = plain[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[-1]


def italian_code(text: str) -> bool:
    """Whether the last letter of an Italian codice fiscale is right."""
    values = dict(zip(_BASE36, _ODD_VALUES, strict=True))
    plain = text.upper()
    total = sum(values[char] for char in plain[0:15:2]) + sum(
        int(char) if char.isdigit() else ord(char) - 65 for char in plain[1:15:2]
    )
    return chr(65 + total % 26) == plain[15]


def ean13(text: str) -> bool:
    """Whether the last of 13 digits is right (Swiss social insurance numbers)."""
    found = digits(text)
    return len(found) == 13 and (sum(found[0::2]) + 3 * sum(found[1::2])) % 10 == 0


def brazilian_number(text: str) -> bool:
    """Whether both check digits of a Brazilian CPF are right."""
    found = digits(text)
    if len(found) != 11 or len(set(found)) == 1:
        return False
    for length in (9, 10):
        rest = sum(digit * (length + 1 - place) for place, digit in enumerate(found[:length])) * 10 % 11 % 10
        if rest != found[length]:
            return False
    return True


def german_tax_number(text: str) -> bool:
    """Whether the last of the 11 digits of a German tax identification number is right (ISO 7064, MOD 11,10)."""
    found = digits(text)
    if len(found) != 11 or found[0] == 0:
        return False
    product = 10
    for digit in found[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == found[10]


def dutch_number(text: str) -> bool:
    """Whether a Dutch BSN passes the eleven-test."""
    found = digits(text)
    return (
        len(found) == 9 and (sum(d * w for d, w in zip(found[:8], range(9, 1, -1), strict=True)) - found[8]) % 11 == 0
    )


def health_number(text: str) -> bool:
    """Whether the last of the 10 digits of a British NHS number is right."""
    found = digits(text)
    if len(found) != 10:
        return False
    check = 11 - sum(digit * (10 - place) for place, digit in enumerate(found[:9])) % 11
    return check % 11 == found[9] and check != 10
