"""Lengths of time as people write them."""

import re
from datetime import timedelta

_PARTS = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s?)?", re.IGNORECASE)


def parse(text: str) -> timedelta | None:
    """`90`, `90s`, `5m` or `1h30m`; None for anything else."""
    found = _PARTS.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
