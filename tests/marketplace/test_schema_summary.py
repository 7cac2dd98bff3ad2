"""What a person is told about a schema."""

from typing import Any

from marketplace.schema_summary import MOST_PARTS, summarise


def of(member: Any) -> Any:
    (field,) = summarise({"properties": {"key_figure": member}})
    return field


def test_a_name_without_a_title_is_made_readable() -> None:
    assert of({"type": "number"}).title == "Key figure"


def test_rows_and_groups_tell_what_they_consist_of() -> None:
    row = {"type": "object", "properties": {"name": {"title": "Name"}, "in_eth": {}, "odd": True}}
    assert of({"type": "array", "items": row}).parts == ("Name", "In eth")
    assert of(row).parts == ("Name", "In eth")
    assert of({"type": "string"}).parts == ()


def test_a_group_of_very_many_parts_names_the_first() -> None:
    many: dict[str, Any] = {f"part{number}": {} for number in range(MOST_PARTS + 5)}
    assert len(of({"type": "object", "properties": many}).parts) == MOST_PARTS


def test_what_is_no_schema_has_no_members() -> None:
    broken: list[object] = [True, [], {"properties": 3}, {"properties": {"a": "b"}}]
    for schema in broken:
        assert summarise(schema) == []
