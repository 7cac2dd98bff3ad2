"""The states of a user operation and the only ways between them."""

from enum import StrEnum

from wallets.smart_accounts.models import UserOperation

Status = UserOperation.Status


class Happening(StrEnum):
    """What can befall an operation."""

    SIGN = "sign"
    ACCEPT = "accept"
    REFUSE = "refuse"
    LOSE_SIGHT = "lose_sight"
    SUCCEED = "succeed"
    REVERT = "revert"
    DISPLACE = "displace"
    LAPSE = "lapse"
    REORG = "reorg"


# A bundler's refusal ends only what no other bundler may still hold; otherwise the operation is unknown, and the chain
# decides. What the chain said can be taken back by a reorg until it is confirmed.
TRANSITIONS: dict[tuple[Status, Happening], Status] = {
    (Status.BUILT, Happening.SIGN): Status.SIGNED,
    (Status.BUILT, Happening.LAPSE): Status.DROPPED,
    (Status.SIGNED, Happening.ACCEPT): Status.SUBMITTED,
    (Status.SIGNED, Happening.REFUSE): Status.FAILED,
    (Status.SIGNED, Happening.LOSE_SIGHT): Status.UNKNOWN,
    (Status.SUBMITTED, Happening.LOSE_SIGHT): Status.UNKNOWN,
    (Status.UNKNOWN, Happening.ACCEPT): Status.SUBMITTED,
    **{(status, Happening.SUCCEED): Status.INCLUDED for status in (Status.SIGNED, Status.SUBMITTED, Status.UNKNOWN)},
    **{(status, Happening.REVERT): Status.FAILED for status in (Status.SIGNED, Status.SUBMITTED, Status.UNKNOWN)},
    **{(status, Happening.DISPLACE): Status.DROPPED for status in (Status.SIGNED, Status.SUBMITTED, Status.UNKNOWN)},
    (Status.INCLUDED, Happening.REORG): Status.UNKNOWN,
    (Status.FAILED, Happening.REORG): Status.UNKNOWN,
}
# Signed, and not known to be over: another operation of the account could only take its nonce.
IN_FLIGHT = frozenset({Status.SIGNED, Status.SUBMITTED, Status.UNKNOWN})


def sources(happening: Happening) -> list[Status]:
    """The states in which `happening` is possible."""
    return [status for status, what in TRANSITIONS if what is happening]


def target(status: str, happening: Happening) -> Status | None:
    """Where `happening` leads from `status`; None when it is not possible there."""
    return TRANSITIONS.get((Status(status), happening))
