"""A form from a schema, and a document from a form."""

import json
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from executions import schema_forms
from executions.schema_forms import Field, Option, Parsed, Widget

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {
            "type": "string",
            "title": "Title",
            "description": "Shown on top.",
            "maxLength": 80,
            "examples": ["Q3"],
        },
        "text": {"type": "string", "format": "multiline", "minLength": 1},
        "table": {"type": "string", "contentMediaType": "text/csv"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "ratio": {"type": "number", "multipleOf": 0.5},
        "strict": {"type": "boolean", "default": True},
        "tone": {"enum": ["plain", "formal", 7], "default": "plain"},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "extra": {"type": "object"},
    },
    "required": ["text", "count"],
}


def submitted(**values: str) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(values)
    return data


def test_fields() -> None:
    fields = {field.name: field for field in schema_forms.fields(SCHEMA)}
    assert list(fields) == ["text", "count", "title", "table", "ratio", "strict", "tone", "tags", "numbers", "extra"]
    assert fields["title"] == Field("title", "Title", Widget.TEXT, "Shown on top.", placeholder="Q3", max_length=80)
    assert fields["text"] == Field("text", "Text", Widget.MULTILINE, required=True, min_length=1)
    assert (fields["table"].widget, fields["table"].accept) == (Widget.FILE_TEXT, ".csv,text/csv")
    assert fields["count"] == Field("count", "Count", Widget.INTEGER, required=True, value="3", minimum=1, maximum=9)
    assert (fields["ratio"].widget, fields["ratio"].step) == (Widget.NUMBER, 0.5)
    assert (fields["strict"].widget, fields["strict"].value) == (Widget.CHECKBOX, True)
    assert fields["tone"].options == (Option('"plain"', "plain"), Option('"formal"', "formal"), Option("7", "7"))
    assert fields["tone"].value == '"plain"'
    assert (fields["tags"].widget, fields["tags"].max_items, fields["tags"].item_type) == (Widget.LIST, 5, "string")
    assert fields["extra"].widget == Widget.JSON


def test_filled_from_an_earlier_input() -> None:
    values = {"text": "a\nb", "count": 5, "strict": False, "tags": ["x", "y"], "tone": 7, "extra": {"k": 1}}
    shown = {field.name: field.value for field in schema_forms.fields(SCHEMA, values)}
    assert (shown["text"], shown["count"], shown["strict"]) == ("a\nb", "5", False)
    assert (shown["tags"], shown["tone"], shown["extra"]) == ("x\ny", "7", '{\n  "k": 1\n}')


def test_parse() -> None:
    data = submitted(
        title="", text="a\r\nb", table="x,y", count=" 4 ", ratio="1.5", tone="7", tags="x\r\n\r\n y ", numbers="1\n2",
        extra='{"k": [1]}',
    )  # fmt: skip
    assert schema_forms.parse(SCHEMA, data) == Parsed(
        {
            "text": "a\nb",
            "count": 4,
            "table": "x,y",
            "ratio": 1.5,
            "strict": False,
            "tone": 7,
            "tags": ["x", "y"],
            "numbers": [1, 2],
            "extra": {"k": [1]},
        }
    )


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({}, {"text": "This field is required.", "count": "This field is required."}),
        ({"text": "a", "count": "4.5"}, {"count": "Enter a whole number."}),
        ({"text": "a", "count": "1", "ratio": "NaN"}, {"ratio": "Enter a number."}),
        ({"text": "a", "count": "1", "ratio": "true"}, {"ratio": "Enter a number."}),
        ({"text": "a", "count": "1", "tone": "rude"}, {"tone": "Choose one of the offered values."}),
        ({"text": "a", "count": "1", "numbers": "1\ntwo"}, {"numbers": "Enter a whole number."}),
        ({"text": "a", "count": "1", "extra": "{"}, {"extra": "This is not a JSON document."}),
        ({"text": "a", "count": "9" * 5000}, {"count": "Enter a whole number."}),
    ],
)
def test_parse_errors(values: dict[str, str], errors: dict[str, str]) -> None:
    assert schema_forms.parse(SCHEMA, submitted(**values)).errors == errors


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "array"},
        {"type": "object"},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {}}, "oneOf": [{}]},
        {"type": "object", "properties": {"a": {}}, "$ref": "#/x"},
        {"type": "object", "properties": []},
    ],
)
def test_other_schemas_get_one_field_for_the_whole_document(schema: dict[str, Any]) -> None:
    (field,) = schema_forms.fields(schema, {"a": 1})
    assert (field.name, field.widget, json.loads(str(field.value))) == ("input", Widget.JSON, {"a": 1})
    assert schema_forms.parse(schema, submitted(input='{"a": 2}')) == Parsed({"a": 2})
    assert schema_forms.parse(schema, submitted(input="{")).errors == {"input": "This is not a JSON document."}
    assert schema_forms.parse(schema, submitted()).errors == {"input": "This is not a JSON document."}


@pytest.mark.parametrize(
    "property_schema",
    [
        {"type": ["string", "null"]},
        {"type": "string", "maxLength": "x"},
        {"enum": "x"},
        {"type": "array", "items": True},
        {"title": 5, "description": None, "examples": 3, "default": {}},
        {"type": "array", "items": {}, "default": 3},
    ],
)
def test_strange_schemas_still_draw(property_schema: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"a": property_schema}}
    assert len(schema_forms.fields(schema)) == 1
    schema_forms.parse(schema, submitted(a="1"))


def test_errors_of_pointers_land_on_their_fields() -> None:
    pointers = {"/text": "No.", "/tags/3": "Bad.", "/": "All wrong.", "/unknown": "What?", "/a~1b/c": "x"}
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], "a/b": {"type": "object"}}}
    assert schema_forms.errors_by_field(schema, pointers) == {
        "text": "No.",
        "tags": "3: Bad.",
        "": "All wrong.",
        "a/b": "c: x",
    }
    assert schema_forms.errors_by_field({}, {"/x": "No."}) == {"input": "x: No."}


@given(
    st.fixed_dictionaries(
        {
            "text": st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), min_size=1).filter(
                str.strip
            )
        }
        | {"count": st.integers(), "strict": st.booleans(), "tone": st.sampled_from(["plain", "formal", 7])},
        optional={
            "ratio": st.floats(allow_nan=False, allow_infinity=False),
            "numbers": st.lists(st.integers(), min_size=1),
        },
    )
)
def test_what_is_shown_parses_to_the_same_document(document: dict[str, Any]) -> None:
    data = QueryDict(mutable=True)
    for field in schema_forms.fields(SCHEMA, document):
        if field.name in document and field.value is not False:
            data[field.name] = "on" if field.value is True else str(field.value)
    assert schema_forms.parse(SCHEMA, data) == Parsed(document)


FILES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "csv": {"type": "string", "format": "file", "contentMediaType": "text/csv", "x-max-bytes": 9},
        "photos": {"type": "array", "items": {"type": "string", "format": "file", "contentMediaType": "image/*"}},
        "text": {"type": "string", "contentMediaType": "text/csv"},
    },
    "required": ["csv"],
}


def test_files_have_fields_of_their_own() -> None:
    csv, photos, text = schema_forms.fields(FILES, {"csv": "id-1", "photos": ["id-2", "id-3"]})
    assert [one.widget for one in (csv, photos, text)] == [Widget.FILE, Widget.FILES, Widget.FILE_TEXT]
    assert (csv.accept, csv.max_bytes, csv.value, csv.is_file) == (".csv,text/csv", 9, "id-1", True)
    assert (photos.accept, photos.max_bytes, photos.value) == ("image/*", None, "id-2\nid-3")
    assert schema_forms.parse(FILES, {"csv": " id-1 ", "photos": "id-2\r\nid-3\n"}).input == {
        "csv": "id-1",
        "photos": ["id-2", "id-3"],
    }
    assert schema_forms.parse(FILES, {"csv": "", "photos": ""}).errors == {"csv": "This field is required."}
