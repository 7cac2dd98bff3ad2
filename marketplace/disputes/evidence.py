"""What other rooms know that helps to decide a dispute. They register it; the marketplace asks nobody by name."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.purchases.models import Purchase


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line for those who decide; `url` is where it can be looked at, if anywhere."""

    label: str
    value: str
    url: str = ""


Source = Callable[[Purchase], list[Evidence]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Have `source` asked for every dispute. Registering the same twice counts once."""
    if source not in _sources:
        _sources.append(source)


def evidence_for(purchase: Purchase) -> list[Evidence]:
    """Everything that is known about the dispute's subject."""
    return [line for source in _sources for line in source(purchase)]
