"""The states of an automatic step and the only ways between them.

waiting -> sent            its transaction is in the outbox
sent -> waiting            the transaction failed; it is tried again later, under another idempotency key
sent | waiting -> stopped  it failed too often: a person must look
any -> done                the chain says that it happened, whoever did it
waiting | sent -> dropped  the payment took another way
stopped -> waiting         staff ask for it again
done | dropped -> waiting  a reorg undid what had happened
"""

from marketplace.payouts.models import Exit

Status = Exit.Status

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.WAITING: frozenset({Status.SENT, Status.DONE, Status.DROPPED, Status.STOPPED}),
    Status.SENT: frozenset({Status.WAITING, Status.DONE, Status.DROPPED, Status.STOPPED}),
    Status.STOPPED: frozenset({Status.WAITING, Status.DONE, Status.DROPPED}),
    Status.DONE: frozenset({Status.WAITING}),
    Status.DROPPED: frozenset({Status.WAITING}),
}
OPEN = frozenset({Status.WAITING, Status.SENT})
ENDED = frozenset({Status.DONE, Status.DROPPED})


def move(row: Exit, to: Status, **changes: object) -> None:
    """Write the next status of a row whose lock is held. Raises ValueError for a way that the table does not have."""
    if to != row.status and to not in TRANSITIONS[Status(row.status)]:
        raise ValueError(f"an exit does not go from {row.status} to {to}")
    changed = {"status": to, **changes}
    different = [name for name, value in changed.items() if getattr(row, name) != value]
    for name in different:
        setattr(row, name, changed[name])
    if different:
        row.save(update_fields=[*different, "updated_at"])
