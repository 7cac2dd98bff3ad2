"""The formats of JSON Schema that are checked; others are annotations, such as `multiline` for a form."""

import re
from collections.abc import Callable
from functools import cache

from jsonschema import Draft202012Validator, FormatChecker

# Checked by jsonschema with the packages that are installed for it.
STANDARD = ("date", "date-time", "time", "email", "ipv4", "ipv6", "uri", "uri-reference", "uuid")
# Longer than any real value of a format; their checkers are regular expressions too.
LONGEST = 4096

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_TIMES = r"T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?"
# RFC 1123 section 2.1, RFC 6901 section 3, RFC 3339 appendix A.
_OWN = {
    "hostname": re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*"),
    "json-pointer": re.compile(r"(?:/(?:[^~/]|~[01])*)*"),
    "duration": re.compile(rf"P(?:\d+W|(?=\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:{_TIMES})?|{_TIMES})"),
}


@cache
def format_checker() -> FormatChecker:
    """Checks each format above, in bounded time, and only text."""
    checker = FormatChecker(formats=())
    standard = Draft202012Validator.FORMAT_CHECKER.checkers
    checker.checkers = {name: (_bounded(standard[name][0]), standard[name][1]) for name in STANDARD}
    checker.checkers |= {name: (_bounded(_matches(pattern)), ()) for name, pattern in _OWN.items()}
    return checker


def _bounded(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or (len(value) <= LONGEST and check(value))


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: pattern.fullmatch(str(value)) is not None
