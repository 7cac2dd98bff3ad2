"""Quotes for tests."""

from typing import Any, Protocol

from chain.bindings.escrow import Quote

CREATOR = "0x000000000000000000000000000000000000dEaD"


class QuoteMaker(Protocol):
    """Makes quotes that can be paid now, each with a salt of its own."""

    def __call__(self, **changes: Any) -> Quote: ...
