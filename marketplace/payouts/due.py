"""Which payments want a step to be sent, by the chain's clock and confirmed data only.

"Now" is the time of the newest block that lies below the confirmations and was read: every dispute that could stop a
release was mined before that block, so it was read before, too.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from marketplace.payouts.models import Credit, Exit, Withdrawal
from marketplace.payouts.states import ENDED, OPEN
from marketplace.purchases.models import Purchase

Kind = Exit.Kind
Status = Purchase.Status
BATCH = 200
REORGS_WITHIN = timedelta(days=1)


def is_due(purchase: Purchase, kind: Kind, now: datetime) -> bool:
    """Whether the step of this kind is wanted at the chain's time `now`. At no time two kinds are."""
    if kind == Kind.WITHDRAWAL:
        return owed_refunds().filter(purchase=purchase).exists()
    if purchase.release_after is None or purchase.expires_at is None:
        return False
    if kind == Kind.REFUND:
        return purchase.status in (Status.ACTIVE, Status.DISPUTED) and now >= purchase.expires_at
    return purchase.status == Status.ACTIVE and purchase.release_after <= now < purchase.expires_at


def has_happened(purchase: Purchase, kind: Kind) -> bool:
    """Whether the chain says that the step is done, by whomever."""
    match kind:
        case Kind.RELEASE:
            return purchase.status == Status.RELEASED
        case Kind.REFUND:
            return purchase.status == Status.REFUNDED
        case _:
            refund = Credit.objects.filter(purchase=purchase, kind=Credit.Kind.REFUND)
            return refund.exists() and not refund.filter(~_paid_out()).exists()


def owed_refunds() -> QuerySet[Credit]:
    """Confirmed refunds that were not paid out yet."""
    return Credit.objects.filter(~_paid_out(), kind=Credit.Kind.REFUND, confirmed=True)


def note_due(network: str, now: datetime) -> int:
    """Write down every step of `network` that has become due; the number of them. Writing the same twice is one."""
    active = Purchase.objects.filter(network=network, status=Status.ACTIVE)
    held = Purchase.objects.filter(network=network, status__in=[Status.ACTIVE, Status.DISPUTED])
    owed = owed_refunds().filter(network=network)
    return (
        _note(Kind.RELEASE, active.filter(release_after__lte=now, expires_at__gt=now))
        + _note(Kind.REFUND, held.filter(expires_at__lte=now))
        + _note(Kind.WITHDRAWAL, Purchase.objects.filter(pk__in=owed.values("purchase_id")))
    )


def _note(kind: Kind, purchases: QuerySet[Purchase]) -> int:
    known = Exit.objects.filter(purchase=OuterRef("pk"), kind=kind)
    now = timezone.now()
    new = list(purchases.filter(~Exists(known)).order_by("pk").values_list("pk", flat=True)[:BATCH])
    Exit.objects.bulk_create(
        [Exit(purchase_id=purchase_id, kind=kind, next_at=now) for purchase_id in new], ignore_conflicts=True
    )
    # What was done and is due again was undone by a reorg, and those are not old.
    ended = known.filter(status__in=ENDED, updated_at__gte=now - REORGS_WITHIN)
    undone = purchases.filter(Exists(ended)).order_by("pk").values("pk")[:BATCH]
    again = Exit.objects.filter(kind=kind, status__in=ENDED, purchase_id__in=undone)
    return len(new) + again.update(status=Exit.Status.WAITING, next_at=now, detail="")


def close_stopped(network: str) -> int:
    """End stopped steps that somebody else took, or that are no longer possible; the number of them."""
    stopped = Exit.objects.filter(purchase__network=network, status=Exit.Status.STOPPED)
    closed = 0
    for kind, happened in ((Kind.RELEASE, Status.RELEASED), (Kind.REFUND, Status.REFUNDED)):
        ended = stopped.filter(kind=kind, purchase__status__in=[Status.RELEASED, Status.REFUNDED])
        closed += ended.filter(purchase__status=happened).update(status=Exit.Status.DONE, detail="")
        closed += ended.update(status=Exit.Status.DROPPED, detail="")
    paid_out = stopped.filter(~Exists(owed_refunds().filter(purchase=OuterRef("purchase"))), kind=Kind.WITHDRAWAL)
    return closed + paid_out.update(status=Exit.Status.DONE, detail="")


def pending(network: str) -> QuerySet[Exit]:
    """Open steps of `network` whose time has come."""
    mine = Exit.objects.filter(purchase__network=network, status__in=OPEN, next_at__lte=timezone.now())
    return mine.order_by("next_at")[:BATCH]


def soon(seconds: float) -> datetime:
    """A time from now."""
    return timezone.now() + timedelta(seconds=seconds)


def _paid_out() -> Exists:
    """A payout takes an account's whole credit, so the first one after a credit includes it."""
    payouts = Withdrawal.objects.filter(
        network=OuterRef("network"), token=OuterRef("token"), account=OuterRef("account")
    ).exclude(status="reverted")
    later = Q(block_number__gt=OuterRef("block_number")) | Q(
        block_number=OuterRef("block_number"), log_index__gt=OuterRef("log_index")
    )
    return Exists(payouts.filter(later))
