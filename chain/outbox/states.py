"""The life of an outgoing transaction.

    queued -> sent -> mined -> confirmed | reverted
    queued -> failed                       it would revert, so it was never signed
    sent <-> unknown                       its nonce is used, but no node shows us by what: we look again
    unknown -> displaced                   its nonce was used, finally, by a transaction that is not ours
    mined -> sent                          a reorg removed its block; it may be mined again

Nothing leads from a signed state back to queued: what may have reached a node is never signed anew under another nonce.
"""

from chain.models import OutboxTransaction

Status = OutboxTransaction.Status

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.SENT, Status.FAILED}),
    Status.SENT: frozenset({Status.MINED, Status.UNKNOWN}),
    Status.UNKNOWN: frozenset({Status.SENT, Status.MINED, Status.DISPLACED}),
    Status.MINED: frozenset({Status.CONFIRMED, Status.REVERTED, Status.SENT}),
    Status.CONFIRMED: frozenset(),
    Status.REVERTED: frozenset(),
    Status.DISPLACED: frozenset(),
    Status.FAILED: frozenset(),
}
OPEN = frozenset(status for status, following in TRANSITIONS.items() if following)
# A nonce is given to these, and they may be in a block.
IN_FLIGHT = frozenset({Status.SENT, Status.UNKNOWN, Status.MINED})


def move(row: OutboxTransaction, to: Status, **changes: object) -> bool:
    """Change the status by a conditional UPDATE, with `changes` to other columns.

    False when somebody else moved the row first. Raises ValueError for a transition that the table does not have.
    """
    came_from = Status(row.status)
    if to not in TRANSITIONS[came_from]:
        raise ValueError(f"an outbox transaction does not go from {came_from} to {to}")
    moved = OutboxTransaction.objects.filter(pk=row.pk, status=came_from).update(status=to, **changes)
    if moved:
        row.status = to
        for name, value in changes.items():
            setattr(row, name, value)
    return bool(moved)
