"""Where a purchase stands, as a function of its terms and of the chain's events about it.

Nothing is added up event by event. Whenever an event comes, is confirmed or is undone by a reorg, the standing is read
anew from all events that hold, in the chain's order. So no order of arrival can give another result, and undoing is
exact by construction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chain.models import Event
from marketplace.purchases.access import moment
from marketplace.purchases.models import EscrowFact, Purchase
from marketplace.purchases.states import TRANSITIONS, Happening, Status

Problem = EscrowFact.Problem
BPS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The columns of a purchase that the chain decides."""

    status: Status
    fee_bps: int
    payer: str | None = None
    deposit_tx_hash: str | None = None
    deposit_block: int | None = None
    release_after: datetime | None = None
    expires_at: datetime | None = None
    refunded_amount: int = 0
    deposited_at: datetime | None = None
    activated_at: datetime | None = None
    closed_at: datetime | None = None


COLUMNS = tuple(Standing.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Reading:
    """A standing, and the facts (by primary key) that changed nothing, with the reason."""

    standing: Standing
    problems: Mapping[int, Problem] = field(default_factory=dict)


def unpaid(purchase: Purchase) -> Standing:
    """Where the purchase stands while the chain says nothing of it."""
    status = Status.LAPSED if purchase.lapsed_at else Status.UNKNOWN if purchase.unknown_at else Status.QUOTED
    return Standing(status=status, fee_bps=purchase.quoted_fee_bps)


def read(purchase: Purchase, facts: Iterable[EscrowFact]) -> Reading:
    """The standing after `facts`, which are in the chain's order. Facts that a reorg undid count for nothing."""
    standing = unpaid(purchase)
    problems: dict[int, Problem] = {}
    for fact in facts:
        if fact.status == Event.Status.REVERTED:
            continue
        outcome = _apply(purchase, standing, fact)
        if isinstance(outcome, Standing):
            standing = outcome
        else:
            problems[fact.pk] = outcome
    return Reading(standing, problems)


def _apply(purchase: Purchase, standing: Standing, fact: EscrowFact) -> Standing | Problem:
    problem = _terms_problem(purchase, fact)
    if problem:
        return problem
    status = TRANSITIONS.get((standing.status, _happening(fact)))
    if status is None:
        return Problem.OUT_OF_ORDER
    match fact.name:
        case "PaymentDeposited":
            return _deposited(fact, status)
        case "DisputeOpened":
            return replace(standing, status=status)
        case "PaymentReleased":
            refunded = 0
        case "PaymentRefunded":
            refunded = int(fact.event.args["amount"])
        case _:
            refunded = int(fact.event.args["refundAmount"])
    return replace(standing, status=status, refunded_amount=refunded, closed_at=fact.block_time)


def _deposited(fact: EscrowFact, status: Status) -> Standing:
    args = fact.event.args
    confirmed = fact.status == Event.Status.CONFIRMED
    return Standing(
        status=TRANSITIONS[status, Happening.CONFIRM] if confirmed else status,
        fee_bps=int(args["feeBps"]),
        payer=args["payer"],
        deposit_tx_hash=fact.event.transaction_hash,
        deposit_block=fact.block_number,
        release_after=moment(int(args["releaseAfter"])),
        expires_at=moment(int(args["expiresAt"])),
        deposited_at=fact.block_time,
        activated_at=fact.confirmed_at if confirmed else None,
    )


def _happening(fact: EscrowFact) -> Happening:
    match fact.name:
        case "PaymentDeposited":
            return Happening.DEPOSIT
        case "DisputeOpened":
            return Happening.DISPUTE
        case "PaymentReleased":
            return Happening.RELEASE
        case "PaymentRefunded":
            return Happening.REFUND
        case "DisputeResolved":
            args = fact.event.args
            kept = int(args["creatorAmount"]) + int(args["feeAmount"])
            return Happening.RESOLVE if kept else Happening.RESOLVE_BY_REFUND
        case _:
            raise ValueError(f"no rule for the event {fact.name}")


def _terms_problem(purchase: Purchase, fact: EscrowFact) -> Problem | None:
    """The id binds all terms, so a difference means that something is badly wrong: then nobody is credited."""
    args = fact.event.args
    if fact.network != purchase.network:
        return Problem.TERMS_DIFFER
    match fact.name:
        case "PaymentDeposited":
            same = (
                int(args["agentId"]) == purchase.agent.onchain_id
                and args["recipient"] == purchase.recipient
                and args["creator"] == purchase.creator_address
                and args["token"] == purchase.token
                and int(args["amount"]) == purchase.amount
                and int(args["accessDuration"]) == purchase.access_duration
                and purchase.bound_payer in (None, args["payer"])
                and 0 <= int(args["feeBps"]) <= BPS
            )
            if same and fact.block_time > purchase.valid_until:
                return Problem.LATE
        case "PaymentReleased":
            same = int(args["creatorAmount"]) + int(args["feeAmount"]) == purchase.amount
        case "PaymentRefunded":
            same = int(args["amount"]) == purchase.amount
        case "DisputeResolved":
            parts = (args["refundAmount"], args["creatorAmount"], args["feeAmount"])
            same = sum(map(int, parts)) == purchase.amount
        case _:
            same = True
    return None if same else Problem.TERMS_DIFFER
