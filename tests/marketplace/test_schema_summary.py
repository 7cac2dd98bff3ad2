"""What a schema says to people."""

import pytest

from marketplace.schema_summary import summarise


@pytest.mark.parametrize(
    ("member", "kind"),
    [
        ({"type": "string", "contentMediaType": "text/csv"}, "CSV"),
        ({"type": "string", "format": "file", "contentMediaType": "text/csv"}, "CSV file"),
        ({"type": "string", "format": "file"}, "file"),
        ({"type": "string", "format": "file", "contentMediaType": "model/stl"}, "model/stl file"),
        ({"type": "array", "items": {"format": "file", "contentMediaType": "image/*"}}, "list of image files"),
        ({"type": "array", "items": {"type": "object"}}, "list of rows"),
    ],
)
def test_kinds(member: dict[str, object], kind: str) -> None:
    (field,) = summarise({"properties": {"a": member}, "required": ["a"]})
    assert (field.kind, field.required) == (kind, True)
