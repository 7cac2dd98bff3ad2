"""Form fields for values of the EVM, with the sentences that people see when a value is refused."""

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from web3 import Web3

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
UINT256_DIGITS = 78


def parse_uint256(text: str) -> int:
    """A whole number 0..2**256-1 from decimal digits. Raises ValueError with a sentence."""
    text = text.strip()
    if not _DIGITS.fullmatch(text):
        raise ValueError("Enter a whole number.")
    if len(text) > UINT256_DIGITS or int(text) >= 2**256:
        raise ValueError("The number is too large: it must be below 2^256.")
    return int(text)


def parse_address(text: str) -> str:
    """The EIP-55 form of an address. Mixed case must carry the right checksum: it is how a mistyped address is
    noticed before money goes there. Raises ValueError with a sentence."""
    text = text.strip()
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text, re.ASCII):
        raise ValueError("Enter an address: 0x followed by 40 hexadecimal digits.")
    shown = str(Web3.to_checksum_address(text))
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != shown:
        raise ValueError("The address has a typing mistake: its checksum is wrong. Copy it again.")
    return shown


def parse_hash(text: str) -> str:
    """A 32-byte hash in lower case. Raises ValueError with a sentence."""
    text = text.strip()
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text, re.ASCII):
        raise ValueError("Enter 0x followed by 64 hexadecimal digits.")
    return text.lower()


class _ParsedField(forms.Field):
    widget = forms.TextInput
    attributes: ClassVar[dict[str, str]] = {"autocomplete": "off", "spellcheck": "false"}

    def __init__(self, **kwargs: Any) -> None:
        for unused in ("max_digits", "decimal_places", "max_length", "min_value", "max_value"):
            kwargs.pop(unused, None)
        super().__init__(**kwargs)

    def parse(self, text: str) -> Any:
        raise NotImplementedError

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return self.parse(str(value))
        except ValueError as exc:
            raise ValidationError(str(exc), code="invalid") from exc

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), **self.attributes}


class Uint256FormField(_ParsedField):
    """A whole number 0..2**256-1; the cleaned value is an `int`."""

    attributes: ClassVar[dict[str, str]] = {**_ParsedField.attributes, "inputmode": "numeric"}

    def parse(self, text: str) -> int:
        return parse_uint256(text)


class AddressFormField(_ParsedField):
    """An address; the cleaned value is checksummed."""

    def parse(self, text: str) -> str:
        return parse_address(text)


class HashFormField(_ParsedField):
    """A 32-byte hash."""

    def parse(self, text: str) -> str:
        return parse_hash(text)
