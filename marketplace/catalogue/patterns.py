"""Regular expressions of strangers that we run: bounded in size when they are declared, and in time when they match."""

import functools
import re
import warnings
from collections.abc import Iterable
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parse  # type: ignore[attr-defined]
from typing import Any

import regex  # type: ignore[import-untyped]

MAXIMUM_LENGTH = 500
# `regex` writes counted repeats out, so that nested ones multiply: (a{1000}){1000} is a million steps.
MAXIMUM_STEPS = 10_000

# The standard library's own reading of a pattern; there is no public door to it.
_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT})


def check_pattern(pattern: str) -> None:
    """Raises ValueError with a sentence for the reader."""
    if len(pattern) > MAXIMUM_LENGTH:
        raise ValueError(f"A pattern may have at most {MAXIMUM_LENGTH} characters.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            parsed = sre_parse.parse(pattern)
        steps = _steps(parsed)
    except (re.error, OverflowError, RecursionError, Warning) as exc:
        raise ValueError("This is not a regular expression we can read.") from exc
    if steps > MAXIMUM_STEPS:
        raise ValueError("This pattern repeats too much.")
    try:
        _compiled(pattern)
    except (regex.error, RecursionError) as exc:
        raise ValueError("This is not a regular expression we can read.") from exc


def matches(pattern: str, text: str, seconds: float) -> bool:
    """Whether `pattern`, which passed `check_pattern`, is found in `text`. Raises TimeoutError after `seconds`."""
    return _compiled(pattern).search(text, timeout=max(seconds, 0.001)) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(pattern)


def _steps(items: Iterable[tuple[Any, Any]]) -> int:
    """The size of a parsed pattern with its counted repeats written out."""
    total = 0
    for operation, argument in items:
        if operation in _REPEATS:
            low, high, body = argument
            total += _steps(body) * max(low, 1 if high is sre.MAXREPEAT else high, 1)
        elif operation is sre.SUBPATTERN:
            total += _steps(argument[3])
        elif operation is sre.ATOMIC_GROUP:
            total += _steps(argument)
        elif operation is sre.BRANCH:
            total += sum(_steps(arm) for arm in argument[1])
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            total += _steps(argument[1])
        elif operation is sre.GROUPREF_EXISTS:
            total += sum(_steps(arm) for arm in argument[1:] if arm)
        else:
            total += 1
    return total
