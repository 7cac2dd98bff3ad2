"""The states of a purchase and the only ways between them."""

from enum import StrEnum

from marketplace.purchases.models import Purchase

Status = Purchase.Status


class Happening(StrEnum):
    """What can befall a purchase. All but the first two are read from the chain."""

    LOSE_SIGHT = "lose_sight"
    LAPSE = "lapse"
    DEPOSIT = "deposit"
    CONFIRM = "confirm"
    DISPUTE = "dispute"
    RELEASE = "release"
    REFUND = "refund"
    RESOLVE = "resolve"
    RESOLVE_BY_REFUND = "resolve_by_refund"


# A deposit may be read after we gave the quote up: it was mined in time, and the money is there. The payer may release
# and the creator refund as soon as the deposit is mined, before it is confirmed.
TRANSITIONS: dict[tuple[Status, Happening], Status] = {
    (Status.QUOTED, Happening.LOSE_SIGHT): Status.UNKNOWN,
    (Status.QUOTED, Happening.LAPSE): Status.LAPSED,
    (Status.UNKNOWN, Happening.LAPSE): Status.LAPSED,
    (Status.QUOTED, Happening.DEPOSIT): Status.DEPOSITED,
    (Status.UNKNOWN, Happening.DEPOSIT): Status.DEPOSITED,
    (Status.LAPSED, Happening.DEPOSIT): Status.DEPOSITED,
    (Status.DEPOSITED, Happening.CONFIRM): Status.ACTIVE,
    (Status.DEPOSITED, Happening.DISPUTE): Status.DISPUTED,
    (Status.DEPOSITED, Happening.RELEASE): Status.RELEASED,
    (Status.DEPOSITED, Happening.REFUND): Status.REFUNDED,
    (Status.ACTIVE, Happening.DISPUTE): Status.DISPUTED,
    (Status.ACTIVE, Happening.RELEASE): Status.RELEASED,
    (Status.ACTIVE, Happening.REFUND): Status.REFUNDED,
    (Status.DISPUTED, Happening.RELEASE): Status.RELEASED,
    (Status.DISPUTED, Happening.REFUND): Status.REFUNDED,
    (Status.DISPUTED, Happening.RESOLVE): Status.RELEASED,
    (Status.DISPUTED, Happening.RESOLVE_BY_REFUND): Status.REFUNDED,
}
TERMINAL = frozenset({Status.RELEASED, Status.REFUNDED})


def sources(happening: Happening) -> list[Status]:
    """The states in which `happening` is possible."""
    return [status for status, what in TRANSITIONS if what is happening]
