"""Addresses of agents: readable and unique."""

import secrets
from collections.abc import Iterator

from django.utils.text import slugify

MAXIMUM_LENGTH = 60
_STEM_LENGTH = 50
_TRIES = 8
# Path segments of the site under /agents/ and words that would look official.
RESERVED = frozenset({"new", "edit", "buy", "run", "versions", "admin", "api", "agentnexus"})


def slug_stem(name: str) -> str:
    """What every candidate for `name` begins with."""
    return slugify(name)[:_STEM_LENGTH].strip("-_") or "agent"


def slug_candidates(name: str, taken: frozenset[str]) -> Iterator[str]:
    """Slugs for an agent called `name`, best first and never one of `taken`: `name`, `name-2`, `name-3`, …, then random
    ones. The caller inserts and takes the next when another process was faster."""
    stem = slug_stem(name)
    number = 1
    tried = 0
    while tried < _TRIES:
        candidate = stem if number == 1 else f"{stem}-{number}"
        number += 1
        if candidate in taken or candidate in RESERVED:
            continue
        tried += 1
        yield candidate
    for _ in range(_TRIES):
        yield f"{stem}-{secrets.token_hex(4)}"
