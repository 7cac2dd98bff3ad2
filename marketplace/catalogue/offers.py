"""What the platform's machines offer. Who knows the machines says so; the catalogue only asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """`labels` are what it has, such as `gpu` or the name of an OCI runtime; `memory_bytes` what agents may use."""

    labels: frozenset[str]
    memory_bytes: int


Source = Callable[[], Sequence[Machine] | None]
_sources: list[Source] = []


def told_by(source: Source) -> None:
    """Have `source` asked what machines there are; None when it knows of none."""
    _sources.append(source)


def current() -> Sequence[Machine] | None:
    """The machines; None when nobody knows any, so that nothing can be said against what is asked."""
    return next((machines for source in _sources if (machines := source()) is not None), None)
