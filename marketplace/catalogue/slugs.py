"""Addresses of agents: readable and unique."""

import re
import secrets
from collections.abc import Iterator

from django.utils.text import slugify

MAXIMUM_LENGTH = 60
_STEM_LENGTH = 50
_TRIES = 8
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# Path segments of the site under /agents/ and words that would look official.
RESERVED = frozenset({"new", "edit", "buy", "run", "versions", "admin", "api", "agentnexus"})


def slug_stem(name: str) -> str:
    """What every candidate for `name` begins with."""
    return slugify(name)[:_STEM_LENGTH].strip("-_") or "agent"


def is_usable_slug(slug: str) -> bool:
    """Whether `slug` may be an agent's address."""
    return len(slug) <= MAXIMUM_LENGTH and _SLUG.fullmatch(slug) is not None and slug not in RESERVED


def slug_candidates(stem: str, taken: frozenset[str]) -> Iterator[str]:
    """Slugs that begin with `stem`, best first and never one of `taken`: `stem`, `stem-2`, `stem-3`, …, then random
    ones. The caller inserts and takes the next when another process was faster."""
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
