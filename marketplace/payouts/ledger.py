"""Keeping credits and withdrawals as the escrow's events have them.

The credits of a purchase are written anew from all its events that hold whenever one of them changes, like its
standing: no order of arrival and no reorg can leave a wrong sum.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from chain.artefacts import ESCROW
from chain.models import Event
from marketplace.payouts.models import Credit, Withdrawal
from marketplace.purchases.models import EscrowFact, Purchase
from marketplace.purchases.notices import announce

Kind = Credit.Kind


@dataclass(frozen=True, slots=True)
class Share:
    """Base units for one account, as one event says."""

    kind: Kind
    account: str
    amount: int


def write_credits(purchase: Purchase, facts: Iterable[EscrowFact]) -> None:
    """Have the credits of `purchase`, whose row is locked, be exactly those of `facts` that hold and fit its terms."""
    wanted = {
        (fact.event_id, share.kind): (fact, share)
        for fact in facts
        if fact.status != Event.Status.REVERTED and not fact.problem
        for share in shares(purchase, fact)
    }
    for credit in Credit.objects.filter(purchase=purchase):
        fact, share = wanted.pop((credit.event_id, Kind(credit.kind)), (None, None))
        if fact is None or share is None:
            credit.delete()
            continue
        confirmed = fact.status == Event.Status.CONFIRMED
        if (credit.confirmed, credit.account, credit.amount) != (confirmed, share.account, share.amount):
            credit.confirmed, credit.account, credit.amount = confirmed, share.account, share.amount
            credit.save(update_fields=["confirmed", "account", "amount"])
    Credit.objects.bulk_create(_credit(purchase, fact, share) for fact, share in wanted.values())


def shares(purchase: Purchase, fact: EscrowFact) -> list[Share]:
    """Who was credited what by the event of `fact`; nothing is credited of nothing."""
    args = fact.event.args
    creator, payer = purchase.creator_address, purchase.payer or ""
    match fact.name:
        case "PaymentReleased":
            found = [Share(Kind.SALE, creator, int(args["creatorAmount"])), _fee(fact)]
        case "PaymentRefunded":
            found = [Share(Kind.REFUND, payer, int(args["amount"]))]
        case "DisputeResolved":
            found = [
                Share(Kind.REFUND, payer, int(args["refundAmount"])),
                Share(Kind.SALE, creator, int(args["creatorAmount"])),
                _fee(fact),
            ]
        case _:
            found = []
    return [share for share in found if share.amount and share.account]


def _fee(fact: EscrowFact) -> Share:
    amount = int(fact.event.args["feeAmount"])
    return Share(Kind.FEE, _fee_recipient(fact) if amount else "", amount)


def _fee_recipient(fact: EscrowFact) -> str:
    """Whom the escrow credited with fees at the block of `fact`: its constructor names the first one."""
    named = (
        Event.objects.filter(
            network=fact.network, contract=ESCROW, name="FeeRecipientChanged", block_number__lte=fact.block_number
        )
        .exclude(status=Event.Status.REVERTED)
        .order_by("-block_number", "-log_index")
        .first()
    )
    return str(named.args["feeRecipient"]) if named else ""


def _credit(purchase: Purchase, fact: EscrowFact, share: Share) -> Credit:
    return Credit(
        event_id=fact.event_id,
        purchase=purchase,
        kind=share.kind,
        network=fact.network,
        token=purchase.token,
        account=share.account,
        amount=share.amount,
        confirmed=fact.status == Event.Status.CONFIRMED,
        block_number=fact.block_number,
        log_index=fact.log_index,
        block_time=fact.block_time,
    )


def on_withdrawal_seen(event: Event) -> None:
    """The payout is in a block of the chain as we know it."""
    note_withdrawal(event, Event.Status.SEEN)


def on_withdrawal_confirmed(event: Event) -> None:
    """The network's number of blocks lies above the payout."""
    note_withdrawal(event, Event.Status.CONFIRMED)


def on_withdrawal_reverted(event: Event) -> None:
    """The payout's block is no longer part of the chain."""
    note_withdrawal(event, Event.Status.REVERTED)


def note_withdrawal(event: Event, status: Event.Status) -> None:
    """Keep the event as a payout with `status`. The same twice changes nothing."""
    from marketplace.purchases.facts import noted  # it writes the credits through this module

    with transaction.atomic():
        fact = noted(Withdrawal, event, status)
        fact.token, fact.account, fact.amount = event.args["token"], event.args["account"], int(event.args["amount"])
        fact.save()
        paid = Credit.objects.filter(network=event.network, token=fact.token, account=fact.account, kind=Kind.REFUND)
        before = paid.filter(block_number__lte=fact.block_number).order_by("-block_number")
        # Pages of the purchases whose refund this may have paid; older ones were paid by an earlier payout.
        for purchase_id in before.values_list("purchase_id", flat=True)[:20]:
            announce(purchase_id)
