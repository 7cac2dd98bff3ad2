"""Results as blocks."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from django.template.loader import render_to_string

from executions.presentation import Block, Kind, Table, blocks

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 10).decode()


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ("a\r\nb", {}, Block(Kind.TEXT, "X", text="a\nb")),
        ("\x1b[31mred", {}, Block(Kind.TEXT, "X", text="red")),
        ("x", {"title": "Label", "description": "About."}, Block(Kind.TEXT, "Label", "About.", text="x")),
        (True, {}, Block(Kind.TEXT, "X", text="Yes")),
        (None, {}, Block(Kind.TEXT, "X", text="None")),
        ([], {}, Block(Kind.TEXT, "X", text="None")),
        (1234567, {}, Block(Kind.NUMBER, "X", text="1,234,567")),
        (0.1 + 0.2, {}, Block(Kind.NUMBER, "X", text="0.3")),
        (["a", 1, None], {}, Block(Kind.LIST, "X", items=("a", "1", ""))),
        ([["a"]], {}, Block(Kind.JSON, "X", text='[\n  [\n    "a"\n  ]\n]')),
        ({"a": 1}, {}, Block(Kind.JSON, "X", text='{\n  "a": 1\n}')),
        (
            [{"b": 1, "a": "x"}, {"c": {"d": 1}}],
            {"items": {"properties": {"a": {"title": "Column A"}}}},
            Block(
                Kind.TABLE,
                "X",
                table=Table(
                    ("Column A", "B", "C"),
                    (("x", "1", ""), ("", "", '{"d": 1}')),
                    numeric=(False, True, False),
                ),
            ),
        ),
        (
            PNG,
            {"contentMediaType": "image/png", "contentEncoding": "base64"},
            Block(Kind.IMAGE, "X", text=f"data:image/png;base64,{PNG}"),
        ),
        (
            "PHN2Zz4=",
            {"contentMediaType": "image/png", "contentEncoding": "base64"},
            Block(Kind.TEXT, "X", text="PHN2Zz4="),
        ),
        (
            "PHN2Zz4=",
            {"contentMediaType": "image/svg+xml", "contentEncoding": "base64"},
            Block(Kind.TEXT, "X", text="PHN2Zz4="),
        ),
    ],
)
def test_block(value: Any, schema: dict[str, Any], expected: Block) -> None:
    assert blocks({"x": value}, {"properties": {"x": schema}}) == [replace(expected, name="x")]


def test_markdown_is_made_safe() -> None:
    (block,) = blocks(
        {"x": "**bold** <script>x</script>"}, {"properties": {"x": {"contentMediaType": "text/markdown"}}}
    )
    assert block.kind == Kind.MARKDOWN
    assert "<strong>bold</strong>" in str(block.html)
    assert "<script>" not in str(block.html)


def test_schemas_order_comes_first_then_the_agents() -> None:
    schema: dict[str, Any] = {"properties": {"b": {}, "missing": {}, "a": {}}}
    assert [block.label for block in blocks({"z": 1, "a": 1, "b": 1}, schema)] == ["B", "A", "Z"]


def test_long_tables_are_cut_and_say_so() -> None:
    (block,) = blocks({"x": [{str(column): row for column in range(30)} for row in range(600)]})
    assert block.table is not None
    assert (len(block.table.rows), len(block.table.columns), block.table.hidden) == (500, 20, 100)


@pytest.mark.parametrize("output", ["text", 5, [1], None, {}])
@pytest.mark.parametrize("schema", [None, {}, {"properties": 5}, {"properties": {"x": True}}, True])
def test_anything_can_be_shown(output: Any, schema: Any) -> None:
    assert isinstance(blocks(output, schema), list)


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.MARKDOWN])
def test_of_nothing_there_is_nothing_to_copy(kind: Kind) -> None:
    full, empty = (
        render_to_string("executions/_block.html", {"block": Block(kind, "X", text=text, name="x"), "position": "1"})
        for text in ("a", "")
    )
    assert ("data-copy-from" in full, "data-copy-from" in empty) == (True, False)
    assert '<p class="text-muted">Empty</p>' in empty
