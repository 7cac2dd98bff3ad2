"""Text that people enter, version numbers, slugs."""

import re
from typing import Any

import pytest

from marketplace.catalogue.numbers import format_number, next_patch, parse_number
from marketplace.catalogue.slugs import slug_candidates, slug_stem
from marketplace.catalogue.text import TextRule, clean_text, storable

NAME = TextRule(minimum=3, maximum=10)
BODY = TextRule(minimum=1, maximum=50, multiline=True)


@pytest.mark.parametrize(
    ("value", "rule", "clean"),
    [
        ("  Text   Tool ", NAME, "Text Tool"),
        ("e\u0301tude", NAME, "\u00e9tude"),
        ("a\nb\tc", NAME, "a b c"),
        ("one\r\ntwo\rthree\n", BODY, "one\ntwo\nthree"),
        ("\tcode", BODY, "code"),
        ("日本語", NAME, "日本語"),
    ],
)
def test_text_is_trimmed_and_normalised(value: Any, rule: Any, clean: Any) -> None:
    if "\n" in value and rule is NAME:
        with pytest.raises(ValueError, match="control characters"):
            clean_text(value, rule)
    else:
        assert clean_text(value, rule) == clean


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "This is required."),
        ("   ", "This is required."),
        ("ab", "Enter at least 3 characters."),
        ("a" * 11, "Enter at most 10 characters; these are 11."),
        (None, "Enter text."),
        (5, "Enter text."),
        ("safe\u202egnp", "Remove the invisible control characters."),
        ("nul\x00byte", "Remove the invisible control characters."),
        ("esc\x1b[31m", "Remove the invisible control characters."),
        ("half\ud800", "Remove the invisible control characters."),
    ],
)
def test_bad_text_is_refused_with_a_sentence(value: Any, sentence: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        clean_text(value, NAME)


def test_storable_drops_only_what_postgresql_cannot_keep() -> None:
    assert storable("a\x00b\ud83d c😀") == "ab c😀"


@pytest.mark.parametrize(
    ("text", "number"), [("1.2.0", (1, 2, 0)), ("0.0.1", (0, 0, 1)), (" 10.20.999999 ", (10, 20, 999999))]
)
def test_version_number_is_parsed(text: Any, number: Any) -> None:
    assert parse_number(text) == number
    assert format_number(number) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.2.3-rc1",
        "v1.2.3",
        "1.2.x",
        "1.2.1000000",
        "\u0661.\u0662.\u0663",
        None,
        1.2,
    ],
)
def test_other_version_number_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="Enter three numbers with dots"):
        parse_number(text)


def test_next_patch() -> None:
    assert next_patch("1.9.9") == "1.9.10"


def test_slugs_are_readable_and_skip_what_is_taken_or_reserved() -> None:
    taken = frozenset({"text-tool", "text-tool-2"})
    assert next(slug_candidates(slug_stem("Text Tool!"), taken)) == "text-tool-3"
    assert next(slug_candidates(slug_stem("New"), frozenset())) == "new-2"
    assert slug_stem("日本語") == "agent"
    assert slug_stem("x" * 200) == "x" * 50


def test_slugs_end_with_random_ones() -> None:
    candidates = list(slug_candidates("tool", frozenset()))
    assert candidates[:3] == ["tool", "tool-2", "tool-3"]
    assert re.fullmatch(r"tool-[0-9a-f]{8}", candidates[-1])
    assert len(set(candidates)) == len(candidates)
