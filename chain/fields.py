"""Database fields for values of the EVM: exact in PostgreSQL, plain types in Python.

The columns carry a CHECK of their own (range of a uint256, length of an address or hash), so that SQL written by hand
cannot store anything else either. An attribute shows the canonical form from the moment it is assigned.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.lookups import Lookup
from django.db.models.query_utils import DeferredAttribute
from web3 import Web3

from chain import forms

if TYPE_CHECKING:
    from django.db.models.expressions import Combinable

UINT256_MAX = 2**256 - 1
_WHOLE_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)

_ST = TypeVar("_ST", contravariant=True)
_GT = TypeVar("_GT", covariant=True)

if TYPE_CHECKING:
    DecimalField = models.DecimalField
    BinaryField = models.BinaryField
    HexLookupBase = Lookup[Any]
else:  # Django's fields take type arguments in their stubs only

    class _Subscriptable:
        def __class_getitem__(cls, _: Any) -> type:
            return cls

    class DecimalField(_Subscriptable, models.DecimalField): ...

    class BinaryField(_Subscriptable, models.BinaryField): ...

    HexLookupBase = Lookup


class _CanonicalAttribute(DeferredAttribute):
    """Brings what is assigned into the form that a later read from the database would show. Values that are not valid
    stay as they are, for `full_clean` or the database to refuse."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        with suppress(ValidationError):
            value = self.field.canonical(value)  # type: ignore[attr-defined]  # only our fields use it
        instance.__dict__[self.field.attname] = value


class Uint256Field(DecimalField[_ST, _GT]):
    """An unsigned 256-bit integer: `numeric(78, 0)` in the database, `int` in Python.

    The default Decimal context of Python (28 digits) is never involved. `Sum` gives an `int` too; arithmetic between
    columns gives a `Decimal` unless its `output_field` is named.
    """

    _pyi_private_set_type: "int | str | Combinable"
    _pyi_private_get_type: int  # type: ignore[assignment]  # the stubs' way to say what the attribute is
    _pyi_lookup_exact_type: int | str

    description = "Unsigned 256-bit integer"
    descriptor_class = _CanonicalAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"], kwargs["decimal_places"] = 78, 0
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    @property
    def validators(self) -> list[Any]:
        return [MinValueValidator(0), MaxValueValidator(UINT256_MAX), *self._validators]  # type: ignore[attr-defined]  # absent from the stubs

    def db_check(self, connection: Any) -> str:
        """PostgreSQL holds the range, whoever writes."""
        return f"{connection.ops.quote_name(self.column)} BETWEEN 0 AND {UINT256_MAX}"

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)

    def to_python(self, value: Any) -> Any:
        """`int` or None. Raises ValidationError for floats, fractions, exponents and anything that is not digits."""
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, Decimal) and value.is_finite() and value == int(value):
            return int(value)
        if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
            return int(value)
        raise ValidationError("Enter a whole number.", code="invalid")

    def canonical(self, value: Any) -> Any:
        """What an attribute shows once `value` is assigned to it."""
        return value if hasattr(value, "resolve_expression") else self.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        return self.canonical(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return self.canonical(value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self.canonical(value)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any) -> Any:
        return models.Field.formfield(self, form_class or forms.Uint256FormField, choices_form_class, **kwargs)


def uint256_check(name: str, *fields: str) -> models.CheckConstraint:
    """A named constraint that holds every given field within 0..2**256-1."""
    condition = models.Q()
    for field in fields:
        condition &= models.Q(**{f"{field}__gte": 0, f"{field}__lte": UINT256_MAX})
    return models.CheckConstraint(condition=condition, name=name)


class _BytesField(BinaryField[_ST, _GT]):
    """Bytes of one fixed size, shown as 0x-prefixed hex in Python."""

    size: ClassVar[int] = 0
    form_class: ClassVar[type[Any]]
    descriptor_class = _CanonicalAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", True)
        super().__init__(*args, **kwargs)

    def db_check(self, connection: Any) -> str:
        """PostgreSQL holds the length, whoever writes."""
        return f"octet_length({connection.ops.quote_name(self.column)}) = {self.size}"

    def from_db_value(self, value: Any, *_: Any) -> str | None:
        return None if value is None else self.show(bytes(value))

    def to_python(self, value: Any) -> Any:
        """The canonical string, or None. Takes 0x-prefixed hex and bytes. Raises ValidationError, also for ""."""
        if value is None:
            return None
        if isinstance(value, str):
            if not _HEX.fullmatch(value):
                raise ValidationError("Enter 0x followed by hexadecimal digits.", code="invalid")
            raw = bytes.fromhex(value[2:])
        elif isinstance(value, bytes | bytearray | memoryview):
            raw = bytes(value)
        else:
            raise ValidationError("Enter 0x followed by hexadecimal digits.", code="invalid")
        if len(raw) != self.size:
            raise ValidationError(f"Enter exactly {self.size} bytes, which is {2 * self.size} digits.", code="invalid")
        return self.show(raw)

    def canonical(self, value: Any) -> Any:
        """What an attribute shows once `value` is assigned to it."""
        return value if hasattr(value, "resolve_expression") else self.to_python(value)

    def get_prep_value(self, value: Any) -> Any:
        value = self.canonical(value)
        return bytes.fromhex(value[2:]) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj) or "")

    def formfield(self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any) -> Any:
        return models.Field.formfield(self, form_class or self.form_class, choices_form_class, **kwargs)

    def show(self, raw: bytes) -> str:
        """The canonical string of `raw`."""
        return "0x" + raw.hex()

    @property
    def get_placeholder(self) -> Any:
        """A plain BinaryField has this for databases that mark binary literals. PostgreSQL does not, and Django inserts
        many rows by UNNEST, several times as fast, only when no field has it."""
        raise AttributeError("get_placeholder")

    def _check_str_default_value(self) -> list[Any]:
        return []  # unlike a plain BinaryField, a string is this field's own form


class AddressField(_BytesField[_ST, _GT]):
    """A 20-byte address: `bytea` in the database, an EIP-55 checksummed string in Python."""

    _pyi_private_set_type: "str | bytes | Combinable"
    _pyi_private_get_type: str  # type: ignore[assignment]  # the stubs' way to say what the attribute is
    _pyi_lookup_exact_type: str | bytes

    description = "Ethereum address"
    size = 20
    form_class = forms.AddressFormField

    def show(self, raw: bytes) -> str:
        return _checksummed(raw)


class HashField(_BytesField[_ST, _GT]):
    """A 32-byte hash or id: `bytea` in the database, 0x-prefixed lower-case hex in Python."""

    _pyi_private_set_type: "str | bytes | Combinable"
    _pyi_private_get_type: str  # type: ignore[assignment]  # the stubs' way to say what the attribute is
    _pyi_lookup_exact_type: str | bytes

    description = "32-byte hash"
    size = 32
    form_class = forms.HashFormField


@lru_cache(maxsize=4096)
def _checksummed(raw: bytes) -> str:
    return str(Web3.to_checksum_address(raw))


class _HexLookup(HexLookupBase):
    """Text lookups on the hexadecimal digits, so that a pasted piece of an address or hash finds its rows."""

    prepare_rhs = False
    condition: ClassVar[str]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        digits = str(self.rhs).lower().removeprefix("0x")
        return self.condition.format(column=f"encode({column}, 'hex')"), [*params, digits]


def _hex_lookup(name: str, condition: str) -> None:
    lookup = type(f"Hex{name.title()}", (_HexLookup,), {"lookup_name": name, "condition": condition})
    register: Callable[..., Any] = _BytesField.register_lookup
    register(lookup)


for _name in ("contains", "icontains"):
    _hex_lookup(_name, "position(%s in {column}) > 0")
for _name in ("startswith", "istartswith"):
    _hex_lookup(_name, "starts_with({column}, %s)")
