"""Deciding disputes: how the amount is divided, and the transaction of the arbiter's key that says so."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from chain.bindings.escrow import Escrow
from chain.models import OutboxTransaction
from chain.networks import get_network
from chain.outbox import enqueue
from marketplace.disputes.models import Decision
from marketplace.disputes.statements import cleaned, text_hash
from marketplace.errors import InvalidStatementError, InvalidTransitionError
from marketplace.purchases.lapsing import settled_time
from marketplace.purchases.models import Purchase
from marketplace.purchases.notices import announce
from marketplace.purchases.standing import BPS
from marketplace.purchases.states import Status
from wallets.models import User

log = structlog.get_logger(__name__)

KEY_NAME = "ARBITER_KEY"
# What became of a transaction that will never carry its decision out.
FAILED = (
    OutboxTransaction.Status.FAILED,
    OutboxTransaction.Status.REVERTED,
    OutboxTransaction.Status.DISPLACED,
)


@dataclass(frozen=True, slots=True)
class Division:
    """Who gets what of a disputed payment, in base units."""

    refund: int
    creator: int
    fee: int


def division(amount: int, refund_bps: int, fee_bps: int) -> Division:
    """As the escrow computes it: each share is rounded down, and what is left is the creator's."""
    refund = amount * refund_bps // BPS
    fee = (amount - refund) * fee_bps // BPS
    return Division(refund, amount - refund - fee, fee)


def obstacle(purchase: Purchase) -> str:
    """Why this dispute cannot be decided now, as a sentence; "" when it can."""
    if purchase.status != Status.DISPUTED:
        return "This payment is not disputed (any more), so there is nothing to decide."
    read_until = settled_time(get_network(purchase.network))
    if purchase.expires_at is not None and read_until is not None and read_until >= purchase.expires_at:
        return "The time to decide is over: the whole amount goes back to the buyer."
    standing = standing_decision(purchase)
    if standing is not None:
        return "This dispute is decided already; the decision is on its way to the chain."
    return ""


def standing_decision(purchase: Purchase) -> Decision | None:
    """The decision that counts: the last one, unless its transaction came to nothing."""
    last = Decision.objects.select_related("transaction").filter(purchase=purchase).order_by("-number").first()
    return None if last is None or last.transaction.status in FAILED else last


def resolve(purchase: Purchase, by: User, refund_bps: int, text: str) -> Decision:
    """Decide the dispute: `refund_bps` basis points of the amount go back to the buyer.

    Two staff members at once make one decision: the purchase's row lock orders them. The arbiter's key is not needed
    here; the outbox, which has it, signs. Raises InvalidStatementError, InvalidTransitionError; NotDeployedError,
    RpcUnavailableError of the chain.
    """
    if not 0 <= refund_bps <= BPS:
        sentence = "Enter a share between 0 and 100 per cent."
        raise InvalidStatementError(sentence, fields={"refund_percent": sentence})
    reason = cleaned("text", text)
    network = get_network(purchase.network)
    escrow = Escrow.for_network(network)
    arbiter = escrow.arbiter()
    with transaction.atomic():
        locked = Purchase.objects.select_for_update(of=("self",)).get(pk=purchase.pk)
        sentence = obstacle(locked)
        if sentence:
            raise InvalidTransitionError(sentence)
        number = Decision.objects.filter(purchase=purchase).count() + 1
        call = escrow.encode_resolve_dispute(locked.payment_id, refund_bps, text_hash(reason))
        key = f"resolve:{locked.payment_id}:{number}"
        sent = enqueue(network, KEY_NAME, call, key, "Dispute resolution", sender=arbiter)
        decision = Decision.objects.create(
            purchase_id=purchase.pk,
            number=number,
            refund_bps=refund_bps,
            text=reason,
            hash=text_hash(reason),
            decided_by=by,
            transaction=sent,
        )
        announce(purchase.pk)
    log.info("dispute_decided", purchase=str(purchase.pk), refund_bps=refund_bps, by=str(by.pk), number=number)
    return decision


def time_left(purchase: Purchase, now: datetime) -> float:
    """Seconds until the dispute can no longer be decided; negative when that time is over."""
    return (purchase.expires_at - now).total_seconds() if purchase.expires_at else 0.0
