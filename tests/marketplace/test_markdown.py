"""Markdown of strangers."""

import time
from typing import Any

import pytest

from marketplace.catalogue.markdown import render_markdown


def test_ordinary_markdown() -> None:
    html = render_markdown(
        "# Title\n\nSome **bold** `code` and a [link](https://example.org/?a=1&b=2).\n\n- one\n- two"
    )
    assert html == (
        "<h2>Title</h2>\n"
        "<p>Some <strong>bold</strong> <code>code</code> and a "
        '<a href="https://example.org/?a=1&amp;b=2" rel="nofollow ugc noopener noreferrer">link</a>.</p>\n'
        "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
    )


def test_tables_and_deep_headings() -> None:
    html = render_markdown("###### Deep\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<h6>Deep</h6>" in html
    assert "<td>1</td>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/p.png)",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox)",
        '[x](https://example.org "\\" onclick=alert(1)")',
        "<a href='https://example.org' onclick='x()'>x</a>",
        "<style>*{display:none}</style>",
        "<iframe src=//evil.example></iframe>",
        "```html\n<script>alert(1)</script>\n```",
        "<svg/onload=alert(1)>",
        "<div id=csrfmiddlewaretoken class=btn>",
    ],
)
def test_nothing_dangerous_comes_through(text: Any) -> None:
    html = render_markdown(text)
    lowered = html.lower()
    for bad in (
        "<script",
        "<img",
        "<style",
        "<iframe",
        "<svg",
        "<div",
        'href="javascript',
        'href="data',
        'href="vb',
        '" onclick',
    ):
        assert bad not in lowered


def test_hostile_nesting_is_quick() -> None:
    started = time.process_time()
    for text in ("[" * 20_000, "> " * 10_000, "*a " * 6_000, "`" * 20_000, "[a](" * 5_000, "- " * 10_000):
        render_markdown(text)
    assert time.process_time() - started < 5
