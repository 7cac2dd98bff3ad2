"""Taking note of the escrow's events and bringing the purchases they are about up to date.

Everything here runs inside the listener's transaction and touches nothing outside the database.
"""

from typing import TypeVar

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chain.models import Event
from marketplace.catalogue.models import Agent
from marketplace.payouts.ledger import write_credits
from marketplace.payouts.models import Withdrawal
from marketplace.purchases.models import EntitlementFact, EscrowFact, Purchase
from marketplace.purchases.notices import announce
from marketplace.purchases.standing import COLUMNS, Problem, Reading, Standing, read
from marketplace.purchases.states import Status

log = structlog.get_logger(__name__)

_Fact = TypeVar("_Fact", EscrowFact, EntitlementFact, Withdrawal)
ESCROW_EVENTS = ("PaymentDeposited", "PaymentReleased", "PaymentRefunded", "DisputeOpened", "DisputeResolved")


def on_seen(event: Event) -> None:
    """The event is in a block of the chain as we know it."""
    take_note(event, Event.Status.SEEN)


def on_confirmed(event: Event) -> None:
    """The network's number of blocks lies above the event."""
    take_note(event, Event.Status.CONFIRMED)


def on_reverted(event: Event) -> None:
    """The event's block is no longer part of the chain."""
    take_note(event, Event.Status.REVERTED)


def take_note(event: Event, status: Event.Status) -> None:
    """Keep the event as a fact with `status`, and read its purchase's standing anew. The same twice changes nothing."""
    payment_id = event.args["paymentId"]
    with transaction.atomic():
        # The lock orders this with whatever else changes the purchase, such as the sweep of stale quotes.
        purchase = (
            Purchase.objects.select_for_update(of=("self",))
            .select_related("agent")
            .filter(payment_id=payment_id)
            .first()
        )
        fact = noted(EscrowFact, event, status)
        fact.purchase, fact.payment_id, fact.name = purchase, payment_id, event.name
        if purchase is None:
            fact.problem = Problem.UNKNOWN_PAYMENT
        fact.save()
        if purchase is not None:
            bring_up_to_date(purchase)
        elif status != Event.Status.REVERTED:
            _log_problem(fact, Problem.UNKNOWN_PAYMENT)


def noted(model: type[_Fact], event: Event, status: Event.Status) -> _Fact:
    """The one fact of `event`, not saved yet, with `status` and everything that facts take from their event."""
    fact = model.objects.filter(event=event).first() or model(event=event)
    confirmed = status == Event.Status.CONFIRMED
    fact.confirmed_at = (fact.confirmed_at or timezone.now()) if confirmed else None
    fact.status = status
    fact.network = event.network
    fact.block_number = event.block_number
    fact.log_index = event.log_index
    fact.block_time = event.block_time
    return fact


def bring_up_to_date(purchase: Purchase) -> None:
    """Write where `purchase`, whose row is locked, stands by its facts; count it, and announce it if it changed."""
    facts = list(purchase.facts.select_related("event"))
    reading = read(purchase, facts)
    _write_problems(facts, reading)
    _write_columns(purchase, reading)
    # After the columns: who is credited with a refund is read from them.
    write_credits(purchase, facts)


def _write_columns(purchase: Purchase, reading: Reading) -> None:
    before = Standing(**{column: getattr(purchase, column) for column in COLUMNS})
    if reading.standing == before:
        return
    for column in COLUMNS:
        setattr(purchase, column, getattr(reading.standing, column))
    purchase.save(update_fields=COLUMNS)
    counted = _counts(reading.standing) - _counts(before)
    if counted:
        Agent.objects.filter(pk=purchase.agent_id).update(purchase_count=F("purchase_count") + counted)
    log.info(
        "purchase_changed",
        purchase=str(purchase.pk),
        payment_id=purchase.payment_id,
        before=before.status,
        status=reading.standing.status,
        refunded_amount=str(reading.standing.refunded_amount),
    )
    announce(purchase.pk)


def _counts(standing: Standing) -> int:
    """1 for a purchase that counts as a sale: confirmed, and not taken back whole."""
    return int(standing.activated_at is not None and standing.status != Status.REFUNDED)


def _write_problems(facts: list[EscrowFact], reading: Reading) -> None:
    for fact in facts:
        problem = reading.problems.get(fact.pk, "")
        if problem != fact.problem:
            fact.problem = problem
            fact.save(update_fields=["problem", "updated_at"])
            if problem:
                _log_problem(fact, Problem(problem))


def _log_problem(fact: EscrowFact, problem: Problem) -> None:
    log.error(
        "escrow_event_credits_nobody",
        problem=problem.value,
        name=fact.name,
        payment_id=fact.payment_id,
        network=fact.network,
        block=fact.block_number,
        transaction=fact.event.transaction_hash,
    )
