"""Fields for EVM values: exact, strict, and the same through every door."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core import serializers as django_serializers
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Avg, F, Max, Min, Sum, Value
from django.forms import modelform_factory
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from chain.api import fields as api_fields
from chain.fields import UINT256_MAX, AddressField, HashField, Uint256Field
from chain.models import Deployment, OutboxAttempt, OutboxTransaction

MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
HASH = "0x" + "ab" * 32
EDGES = [0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 10**28 + 1, 2**128, 2**255, UINT256_MAX - 1, UINT256_MAX]


def make(value: Any = 0, key: str = "k", **changes: Any) -> OutboxTransaction:
    return OutboxTransaction.objects.create(
        **{"network": "local", "key_name": "GRANT_KEY", "sender": MIXED, "data": b"", "idempotency_key": key}
        | {"value": value}
        | changes
    )


class RowSerializer(serializers.ModelSerializer[OutboxTransaction]):
    class Meta:
        model = OutboxTransaction
        fields = ["value", "to", "transaction_hash"]


# ---------------------------------------------------------------- uint256


@pytest.mark.django_db
@pytest.mark.parametrize("value", EDGES)
def test_a_uint256_is_the_same_through_model_sql_json_and_form(value: int) -> None:
    row = make(value)
    row.refresh_from_db()
    assert row.value == value
    assert type(row.value) is int
    with connection.cursor() as cursor:
        cursor.execute("SELECT value::text FROM chain_outboxtransaction")
        assert cursor.fetchone()[0] == str(value)
    body = JSONRenderer().render(RowSerializer(row).data)
    assert json.loads(body)["value"] == str(value)
    again = RowSerializer(data={"value": str(value)})
    assert again.is_valid(), again.errors
    assert again.validated_data["value"] == value
    form = modelform_factory(OutboxTransaction, fields=["value"])({"value": str(value)})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["value"] == value
    dumped = django_serializers.serialize("json", [row])
    (loaded,) = django_serializers.deserialize("json", dumped)
    assert loaded.object.value == value  # type: ignore[attr-defined]


@pytest.mark.django_db
@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, UINT256_MAX), min_size=1, max_size=6))
def test_sums_and_extremes_are_exact_ints(values: list[int]) -> None:
    OutboxTransaction.objects.all().delete()
    for index, value in enumerate(values):
        make(value, key=str(index))
    found = OutboxTransaction.objects.aggregate(sum=Sum("value"), least=Min("value"), most=Max("value"))
    assert found == {"sum": sum(values), "least": min(values), "most": max(values)}
    assert type(found["sum"]) is int


@pytest.mark.django_db
def test_an_average_of_uint256s_is_a_decimal() -> None:
    make(1, "a")
    make(2, "b")
    assert OutboxTransaction.objects.aggregate(mean=Avg("value"))["mean"] == Decimal("1.5")


@pytest.mark.django_db
def test_lookups_take_ints_strings_and_expressions() -> None:
    big = UINT256_MAX
    row = make(big, "a", gas_limit=5)
    make(7, "b", gas_limit=7)
    objects = OutboxTransaction.objects
    assert objects.get(value=big) == row
    assert objects.get(value=str(big)) == row
    assert objects.filter(value__in=[big, 7]).count() == 2
    assert objects.filter(value__in=[str(big)]).get() == row
    assert objects.filter(value__gt=2**255).get() == row
    assert objects.filter(value__range=(0, 7)).count() == 1
    assert objects.filter(value=F("gas_limit")).get().value == 7
    assert objects.filter(value=2**300).count() == 0
    assert objects.filter(value__isnull=True).count() == 0
    assert list(objects.order_by("-value").values_list("value", flat=True)) == [big, 7]
    assert objects.annotate(twice=F("value") * Value(2)).get(pk=row.pk).twice == Decimal(2 * big)


@pytest.mark.django_db
def test_updates_with_expressions_are_exact() -> None:
    row = make(2**200)
    OutboxTransaction.objects.update(value=F("value") + 1)
    row.refresh_from_db()
    assert row.value == 2**200 + 1
    row.value = F("value") - 1
    row.save()
    row.refresh_from_db()
    assert row.value == 2**200
    row.value = 5
    OutboxTransaction.objects.bulk_update([row], ["value"])
    row.refresh_from_db()
    assert row.value == 5


@pytest.mark.django_db
@pytest.mark.parametrize("value", [-1, UINT256_MAX + 1, 10**78])
def test_the_database_refuses_what_is_not_a_uint256(value: int) -> None:
    refusals = pytest.raises(DatabaseError, match=r"check constraint|numeric field overflow")
    with refusals, transaction.atomic():
        make(value)
    with pytest.raises(ValidationError):
        OutboxTransaction(value=value).clean_fields(
            exclude=[field.name for field in OutboxTransaction._meta.fields if field.name != "value"]
        )


@pytest.mark.parametrize(
    "junk",
    ["1.0", "1e3", "", "0x10", "1_000", "\N{ARABIC-INDIC DIGIT ONE}", "1 2", 1.0, True, Decimal("1.5"), b"1", []],
)
def test_what_is_not_a_whole_number_is_refused(junk: Any) -> None:
    with pytest.raises(ValidationError):
        Uint256Field().to_python(junk)


def test_whole_decimals_and_padded_digits_are_taken() -> None:
    assert Uint256Field().to_python(Decimal("1E+30")) == 10**30
    assert Uint256Field().to_python(" 12 ") == 12
    assert Uint256Field().to_python(None) is None


def test_the_attribute_is_an_int_as_soon_as_it_is_assigned() -> None:
    row = OutboxTransaction(value="12")
    assert row.value == 12
    row.value = "junk"
    assert str(row.value) == "junk"  # left for validation to refuse


@pytest.mark.parametrize("junk", ["", "-1", "1.5", "1e3", "x", str(2**256), "9" * 79, "9" * 10_000])
def test_form_and_api_refuse_the_same_numbers(junk: str) -> None:
    form = modelform_factory(OutboxTransaction, fields=["value"])({"value": junk})
    assert not form.is_valid()
    serializer = RowSerializer(data={"value": junk})
    assert not serializer.is_valid()
    assert "value" in serializer.errors


@pytest.mark.parametrize("junk", [1.5, True, None, [1], {"a": 1}, -1])
def test_the_api_refuses_other_json_types(junk: Any) -> None:
    assert not RowSerializer(data={"value": junk}).is_valid()


def test_a_deconstructed_field_is_the_same_field() -> None:
    _, path, args, kwargs = Uint256Field(default=0).deconstruct()
    assert (path, args, kwargs) == ("chain.fields.Uint256Field", [], {"default": 0})
    assert (Uint256Field(**kwargs).max_digits, Uint256Field(**kwargs).decimal_places) == (78, 0)


# ---------------------------------------------------------------- addresses and hashes


@pytest.mark.django_db
@pytest.mark.parametrize("given_as", [MIXED, MIXED.lower(), bytes.fromhex(MIXED[2:])])
def test_an_address_is_checksummed_from_assignment_on(given_as: Any) -> None:
    row = make(sender=given_as)
    assert row.sender == MIXED
    row.refresh_from_db()
    assert row.sender == MIXED
    with connection.cursor() as cursor:
        cursor.execute("SELECT sender FROM chain_outboxtransaction")
        assert bytes(cursor.fetchone()[0]) == bytes.fromhex(MIXED[2:])


@pytest.mark.django_db
def test_byte_fields_answer_every_lookup() -> None:
    row = make(sender=MIXED, transaction_hash=HASH, key="a")
    other = make(sender="0x" + "22" * 20, to=MIXED, key="b")
    objects = OutboxTransaction.objects
    assert objects.get(sender=MIXED.lower()) == row
    assert objects.filter(sender__in=[MIXED, MIXED.lower()]).get() == row
    assert objects.filter(transaction_hash__in=[HASH]).get() == row
    assert objects.filter(transaction_hash=None).get() == other
    assert objects.filter(to__isnull=True).get() == row
    assert objects.filter(to=F("sender")).count() == 0
    assert objects.exclude(sender=MIXED).get() == other
    for piece in (MIXED, MIXED.lower(), "5aAeb6", "eAed", "0x5AAE"):
        assert objects.filter(sender__icontains=piece).get() == row
        assert objects.filter(sender__contains=piece).get() == row
    assert objects.filter(sender__istartswith="0x5aae").get() == row
    assert objects.filter(sender__startswith="aae").count() == 0
    assert objects.filter(sender__icontains="%").count() == 0
    assert objects.update(to=F("sender")) == 2
    assert objects.get(pk=other.pk).to == "0x" + "22" * 20


@pytest.mark.django_db
@pytest.mark.parametrize("junk", ["", "0x", "0x12", MIXED + "00", MIXED[2:], "0x zz", "0x" + "é" * 40, 5])
def test_a_query_for_what_is_no_address_is_refused(junk: Any) -> None:
    """An empty string must not become a search for rows without an address."""
    with pytest.raises(ValidationError):
        OutboxTransaction.objects.filter(to=junk).count()


@pytest.mark.django_db
def test_the_database_refuses_bytes_of_another_length() -> None:
    row = make()
    with connection.cursor() as cursor:
        for column in ("sender", "transaction_hash"):
            with pytest.raises(IntegrityError, match="check constraint"), transaction.atomic():
                cursor.execute(
                    f"UPDATE chain_outboxtransaction SET {column} = %s WHERE id = %s",  # noqa: S608
                    [b"\x01" * 19, row.pk],
                )


@pytest.mark.django_db
def test_fixtures_carry_addresses_as_text() -> None:
    row = make(transaction_hash=HASH)
    dumped = django_serializers.serialize("json", [row])
    assert f'"sender": "{MIXED}"' in dumped
    (loaded,) = django_serializers.deserialize("json", dumped)
    assert (loaded.object.sender, loaded.object.transaction_hash) == (MIXED, HASH)  # type: ignore[attr-defined]


def test_wrongly_checksummed_addresses_are_typing_mistakes() -> None:
    wrong = MIXED[:-1] + "D"
    form = modelform_factory(OutboxTransaction, fields=["to"])({"to": wrong})
    assert not form.is_valid()
    assert "checksum" in form.errors["to"][0]
    serializer = RowSerializer(data={"to": wrong})
    assert not serializer.is_valid()
    assert "checksum" in str(serializer.errors["to"][0])


@pytest.mark.parametrize("written", [MIXED, MIXED.lower(), "0x" + MIXED[2:].upper(), f"  {MIXED} "])
def test_right_addresses_are_taken_in_every_usual_form(written: str) -> None:
    form = modelform_factory(OutboxTransaction, fields=["to"])({"to": written})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["to"] == MIXED
    serializer = RowSerializer(data={"to": written, "transaction_hash": "0x" + "AB" * 32})
    assert serializer.is_valid(), serializer.errors
    assert serializer.validated_data == {"to": MIXED, "transaction_hash": HASH}


def test_model_serializers_use_the_chain_fields() -> None:
    declared = RowSerializer().fields
    assert isinstance(declared["value"], api_fields.Uint256Field)
    assert isinstance(declared["to"], api_fields.AddressField)
    assert isinstance(declared["transaction_hash"], api_fields.HashField)
    assert declared["to"].allow_null


def test_form_fields_are_text_inputs_that_keep_every_digit() -> None:
    form = modelform_factory(OutboxTransaction, fields=["value", "to"])()
    assert isinstance(form.fields["value"].widget, forms.TextInput)
    assert not isinstance(form.fields["value"].widget, forms.NumberInput)
    assert 'inputmode="numeric"' in str(form["value"])


def test_an_unchanged_form_has_no_changes() -> None:
    row = OutboxTransaction(value=5, to=MIXED)
    form = modelform_factory(OutboxTransaction, fields=["value", "to"])({"value": "5", "to": MIXED}, instance=row)
    assert form.changed_data == []


@pytest.mark.parametrize("field", [AddressField(), HashField()])
def test_byte_fields_deconstruct(field: Any) -> None:
    _, path, args, kwargs = field.deconstruct()
    assert path.startswith("chain.fields.")
    assert (args, kwargs) == ([], {"editable": True})


@pytest.mark.django_db
def test_values_and_related_rows_show_canonical_forms() -> None:
    row = make()
    OutboxAttempt.objects.create(transaction=row, hash=HASH, raw=b"", max_fee_per_gas=2**70, max_priority_fee_per_gas=1)
    assert list(OutboxAttempt.objects.values_list("hash", "max_fee_per_gas", "transaction__sender")) == [
        (HASH, 2**70, MIXED)
    ]
    assert Deployment(address=MIXED.lower()).address == MIXED
