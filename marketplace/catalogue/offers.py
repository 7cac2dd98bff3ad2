"""What the platform's machines offer. Who knows the machines says so; the catalogue only asks."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """`labels` are what any machine has, such as `gpu` or the name of an OCI runtime; `memory_bytes` the most that one
    of them has for agents."""

    labels: frozenset[str]
    memory_bytes: int


_sources: list[Callable[[], Offer | None]] = []


def told_by(source: Callable[[], Offer | None]) -> None:
    """Have `source` asked what there is; None when it knows of no machine."""
    _sources.append(source)


def current() -> Offer | None:
    """What there is; None when nobody knows, so that nothing can be said against it."""
    return next((offer for source in _sources if (offer := source()) is not None), None)
