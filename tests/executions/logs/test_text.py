"""Hostile text made harmless."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.logs.text import neutralise


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain äöü ❄ \t tab", "plain äöü ❄ \t tab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;ZXZpbA==\x07clip", "clip"),
        ("\x1bP1;2|payload\x1b\\x", "x"),
        ("\x9b31mred", "red"),
        ("\x9d0;t\x9cx", "x"),
        ("\x1b(Bx\x1b=y\x1bcz", "xyz"),
        ("a\x00b\x07c\x08d\x7fe\x85f", "a�b�c�d�e�f"),
        ("10%\r20%\r30%", "30%"),
        ("done\r", "done"),
        ("\r\r", ""),
        ("unfinished \x1b]0;never closed", "unfinished 0;never closed"),
        ("end \x1b", "end �"),
        ("user\u202etxt.exe", "user�txt.exe"),
        ("a\u2066b\u2069", "a�b�"),
        ("line\u2028sep", "line�sep"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_examples(raw: str, shown: str) -> None:
    assert neutralise(raw) == shown


@given(st.text(alphabet=st.characters(max_codepoint=0x2070), max_size=200))
def test_no_control_character_is_ever_left(raw: str) -> None:
    assert not re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", neutralise(raw))


@pytest.mark.parametrize("part", ["\x1b]", "\x1b[", "\x1b", "\x1bP", "\x9d", "\x1b[0;", "\r", "\x1b]0\x1b"])
def test_cost_is_linear(part: str) -> None:
    began = time.process_time()
    neutralise(part * 100_000)
    assert time.process_time() - began < 5
