"""Sending what is due, so that neither a creator's pay nor a buyer's refund needs a click.

The relayer's key does it. It can do nothing here that anybody could not do: release and refund are open to all at these
times, and a payout goes to whom it is owed. All that can be lost is its gas, and that is bounded: a call is estimated
first, one that fails is tried at most MOST_ATTEMPTS times, and a payout, which may reach code of strangers, gets
MOST_GAS.

Several sweeps may run at once: a row's lock decides, and an attempt's idempotency key is one transaction for ever.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction

from chain.bindings.escrow import Escrow
from chain.calls import Call
from chain.errors import ChainError, MissingKeyError, NotDeployedError
from chain.models import OutboxTransaction
from chain.networks import Network, all_networks
from chain.outbox import enqueue
from chain.outbox.funds import shortage
from chain.outbox.states import OPEN as OUTBOX_OPEN
from marketplace.api.tokens import TokenBook
from marketplace.payouts.due import close_stopped, has_happened, is_due, note_due, owed_refunds, pending, soon
from marketplace.payouts.least import too_small
from marketplace.payouts.models import Exit
from marketplace.payouts.reasons import sentence
from marketplace.payouts.states import Status, move
from marketplace.purchases.lapsing import settled_time
from marketplace.purchases.models import Purchase
from marketplace.purchases.notices import announce

log = structlog.get_logger(__name__)

KEY_NAME = "RELAYER_KEY"
# Seconds before the second, third, ... attempt.
BACKOFF = (60, 600, 3_600, 21_600)
MOST_ATTEMPTS = len(BACKOFF) + 1
LOOK_AGAIN_SECONDS = 5
WAIT_FOR_MONEY_SECONDS = 60
WAIT_FOR_MORE_SECONDS = 3_600
# A payout to a plain account uses about 50,000; a smart account that receives ether needs some more.
MOST_GAS = 400_000


@dataclass(frozen=True, slots=True)
class Round:
    """One network in one sweep: the chain's time, and why nothing new may be sent now, if so."""

    network: Network
    now: datetime
    obstacle: str


def settle() -> int:
    """Note what is due on every network and take each open step as far as it goes now; the number that changed."""
    changed = 0
    for network in all_networks():
        now = settled_time(network)
        if now is None:
            continue
        changed += note_due(network.slug, now) + close_stopped(network.slug)
        ids = list(pending(network.slug).values_list("pk", flat=True))
        if not ids:
            continue
        round_ = Round(network, now, _obstacle(network))
        changed += sum(_advance(exit_id, round_) for exit_id in ids)
    return changed


def retry(row: Exit) -> bool:
    """Have a stopped step tried again from the start; False when it is not stopped."""
    with transaction.atomic():
        locked = Exit.objects.select_for_update().get(pk=row.pk)
        if locked.status != Status.STOPPED:
            return False
        move(locked, Status.WAITING, next_at=soon(0), detail="")
        announce(locked.purchase_id)
    return True


def _obstacle(network: Network) -> str:
    try:
        return shortage(network, KEY_NAME)
    except ChainError as exc:
        return exc.message


def _advance(exit_id: UUID, round_: Round) -> bool:
    """One step forward under the row's lock; whether anything changed."""
    with transaction.atomic():
        # A locked row is being taken care of by another sweep.
        row = (
            Exit.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("purchase", "transaction")
            .filter(pk=exit_id)
            .first()
        )
        if row is None or row.status not in (Status.WAITING, Status.SENT):
            return False
        before = (row.status, row.detail)
        _look(row, round_)
        if (row.status, row.detail) == before:
            return False
        announce(row.purchase_id)
        log.info("exit_moved", exit=str(row.pk), kind=row.kind, purchase=str(row.purchase_id), status=row.status)
        return True


def _look(row: Exit, round_: Round) -> None:
    kind = Exit.Kind(row.kind)
    if has_happened(row.purchase, kind):
        move(row, Status.DONE, detail="")
        return
    sent = row.transaction
    if sent is not None and row.status == Status.SENT:
        if sent.status in OUTBOX_OPEN or sent.status == OutboxTransaction.Status.CONFIRMED:
            # On its way, or in a block that the listener is about to read.
            move(row, Status.SENT, detail=sentence(sent), next_at=soon(LOOK_AGAIN_SECONDS))
            return
        _failed(row, sent)
        return
    if not is_due(row.purchase, kind, round_.now):
        move(row, Status.DROPPED, detail="")
    elif round_.obstacle:
        move(row, Status.WAITING, detail=round_.obstacle[:500], next_at=soon(WAIT_FOR_MONEY_SECONDS))
    elif kind == Exit.Kind.WITHDRAWAL and _is_being_paid_out(row):
        move(row, Status.WAITING, detail="", next_at=soon(LOOK_AGAIN_SECONDS))
    elif kind == Exit.Kind.WITHDRAWAL and (reason := _not_worth_it(row)):
        move(row, Status.WAITING, detail=reason, next_at=soon(WAIT_FOR_MORE_SECONDS))
    else:
        _send(row, kind, round_.network)


def _failed(row: Exit, sent: OutboxTransaction) -> None:
    reason = sentence(sent)[:500]
    log.warning("exit_failed", exit=str(row.pk), kind=row.kind, attempt=row.attempts, detail=sent.detail)
    # Counted over the whole life of the step in its keys, and in rounds of MOST_ATTEMPTS between two looks of staff.
    tried = row.attempts % MOST_ATTEMPTS
    if tried == 0:
        log.error("exit_stopped", exit=str(row.pk), kind=row.kind, purchase=str(row.purchase_id), detail=reason)
        move(row, Status.STOPPED, detail=reason)
    else:
        move(row, Status.WAITING, detail=reason, next_at=soon(BACKOFF[tried - 1]))


def _send(row: Exit, kind: Exit.Kind, network: Network) -> None:
    try:
        call = _call(row.purchase, kind, network)
        key = f"{kind.value}:{row.purchase.payment_id}:{row.attempts + 1}"
        # Release and refund reach our own contracts only.
        most_gas = MOST_GAS if kind == Exit.Kind.WITHDRAWAL else None
        sent = enqueue(network, KEY_NAME, call, key, kind.label, most_gas=most_gas)
    except (MissingKeyError, NotDeployedError) as exc:
        move(row, Status.WAITING, detail=exc.message[:500], next_at=soon(WAIT_FOR_MONEY_SECONDS))
        return
    move(
        row,
        Status.SENT,
        transaction=sent,
        attempts=row.attempts + 1,
        detail="",
        next_at=soon(LOOK_AGAIN_SECONDS),
    )


def _call(purchase: Purchase, kind: Exit.Kind, network: Network) -> Call:
    escrow = Escrow.for_network(network)
    match kind:
        case Exit.Kind.RELEASE:
            return escrow.encode_release(purchase.payment_id)
        case Exit.Kind.REFUND:
            return escrow.encode_refund(purchase.payment_id)
        case _:
            return escrow.encode_withdraw(purchase.token, purchase.payer or "")


def _not_worth_it(row: Exit) -> str:
    purchase = row.purchase
    return too_small(purchase.network, TokenBook().find(purchase.network, purchase.token), purchase.payer or "")


def _is_being_paid_out(row: Exit) -> bool:
    """Whether a payout to the same account in the same token is on its way: it takes this refund along, or the next
    look finds what it left."""
    account = owed_refunds().filter(purchase=row.purchase_id).values("network", "token", "account").first()
    others = Exit.objects.filter(
        kind=Exit.Kind.WITHDRAWAL,
        status=Status.SENT,
        purchase__network=row.purchase.network,
        purchase__token=row.purchase.token,
        purchase__payer=account["account"] if account else row.purchase.payer,
    )
    return others.exclude(pk=row.pk).exists()
