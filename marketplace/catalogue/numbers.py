"""Version numbers: MAJOR.MINOR.PATCH of semver.org, without pre-release or build parts."""

import re

_NUMBER = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})", re.ASCII)


def parse_number(value: object) -> tuple[int, int, int]:
    """`"1.10.0"` as `(1, 10, 0)`, which compares as versions do. Raises ValueError with a sentence for the reader."""
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("Enter three numbers with dots, for example 1.2.0.")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def format_number(number: tuple[int, int, int]) -> str:
    """The reverse of `parse_number`."""
    return ".".join(str(part) for part in number)


def next_patch(number: str) -> str:
    """The number after `number` with its last part raised by one."""
    major, minor, patch = parse_number(number)
    return format_number((major, minor, patch + 1))
