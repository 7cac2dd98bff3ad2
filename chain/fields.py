"""Database fields for values of the EVM: exact in PostgreSQL, plain types in Python."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from web3 import Web3

UINT256_MAX = 2**256 - 1


class Uint256Field(models.DecimalField):  # type: ignore[type-arg]
    """An unsigned 256-bit integer: `numeric(78, 0)` in the database, `int` in Python.

    Values outside 0..2**256-1 are refused by the validators; pair it with `uint256_check` to refuse them in SQL too.
    """

    description = "Unsigned 256-bit integer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"], kwargs["decimal_places"] = 78, 0
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    @property
    def validators(self) -> list[Any]:
        return [MinValueValidator(0), MaxValueValidator(UINT256_MAX)]

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> int | None:
        if value is None or isinstance(value, int):
            return value
        try:
            return int(str(value))
        except ValueError as exc:
            raise ValidationError("Enter a whole number.", code="invalid") from exc

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.to_python(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if hasattr(value, "as_sql"):
            return value
        return self.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return value if hasattr(value, "resolve_expression") else self.to_python(value)


def uint256_check(name: str, *fields: str) -> models.CheckConstraint:
    """A constraint that holds every named field within 0..2**256-1."""
    condition = models.Q()
    for field in fields:
        condition &= models.Q(**{f"{field}__gte": 0, f"{field}__lte": UINT256_MAX})
    return models.CheckConstraint(condition=condition, name=name)


class _BytesField(models.BinaryField):  # type: ignore[type-arg]
    """Fixed-size bytes shown as 0x-prefixed hex in Python."""

    size = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else self.show(bytes(value))

    def to_python(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        try:
            raw = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
        except ValueError as exc:
            raise ValidationError("Enter 0x followed by hexadecimal digits.", code="invalid") from exc
        if len(raw) != self.size:
            raise ValidationError(f"Enter exactly {self.size} bytes.", code="invalid")
        return self.show(raw)

    def get_prep_value(self, value: Any) -> Any:
        if hasattr(value, "resolve_expression"):
            return value
        shown = self.to_python(value)
        return None if shown is None else bytes.fromhex(shown[2:])

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj) or "")

    def show(self, raw: bytes) -> str:
        return "0x" + raw.hex()


class AddressField(_BytesField):
    """A 20-byte address: `bytea` in the database, an EIP-55 checksummed string in Python."""

    description = "Ethereum address"
    size = 20

    def show(self, raw: bytes) -> str:
        return str(Web3.to_checksum_address(raw))


class HashField(_BytesField):
    """A 32-byte hash or id: `bytea` in the database, 0x-prefixed hex in Python."""

    description = "32-byte hash"
    size = 32
