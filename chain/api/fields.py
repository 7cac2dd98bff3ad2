"""Serializer fields for values of the EVM. Numbers travel as decimal strings: JavaScript would round them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chain import fields as model_fields
from chain.forms import parse_address, parse_hash, parse_uint256

# What ModelSerializer derives from the model field and these fields already know.
_IMPLIED = ("max_digits", "decimal_places", "min_value", "max_value", "max_length")


class _ParsedField(serializers.Field[Any, Any, Any, Any]):
    default_error_messages = {"invalid": "{reason}"}

    def __init__(self, **kwargs: Any) -> None:
        for name in _IMPLIED:
            kwargs.pop(name, None)
        super().__init__(**kwargs)

    def parse(self, text: str) -> Any:
        raise NotImplementedError

    def to_internal_value(self, data: Any) -> Any:
        try:
            if not isinstance(data, str):
                raise ValueError(self.expected)
            return self.parse(data)
        except ValueError as exc:
            self.fail("invalid", reason=str(exc))

    expected = "Enter a string."


@extend_schema_field({"type": "string", "pattern": "^[0-9]{1,78}$", "example": "2000000000000000"})
class Uint256Field(_ParsedField):
    """A uint256 as a string of decimal digits; input may also be a JSON integer."""

    expected = "Enter a whole number as a string of digits."

    def parse(self, text: str) -> int:
        return parse_uint256(text)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, int) and not isinstance(data, bool):
            data = str(data)
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> str:
        return str(int(value))


@extend_schema_field(
    {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$", "example": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"}
)
class AddressField(_ParsedField):
    """An address: validated on input, checksummed on output."""

    expected = "Enter an address: 0x followed by 40 hexadecimal digits."

    def parse(self, text: str) -> str:
        return parse_address(text)

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field({"type": "string", "pattern": "^0x[0-9a-f]{64}$"})
class HashField(_ParsedField):
    """A 32-byte hash or id."""

    expected = "Enter 0x followed by 64 hexadecimal digits."

    def parse(self, text: str) -> str:
        return parse_hash(text)

    def to_representation(self, value: Any) -> str:
        return str(value)


def register() -> None:
    """Have every ModelSerializer use these fields for the model fields of chain.fields."""
    mapping = serializers.ModelSerializer.serializer_field_mapping
    mapping[model_fields.Uint256Field] = Uint256Field
    mapping[model_fields.AddressField] = AddressField
    mapping[model_fields.HashField] = HashField
