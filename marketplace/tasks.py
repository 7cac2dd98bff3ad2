"""Short chores of the marketplace."""

from celery import shared_task

from marketplace.payouts.exits import settle
from marketplace.purchases.lapsing import lapse_stale


@shared_task(name="marketplace.tasks.lapse_stale_quotes")
def lapse_stale_quotes() -> int:
    """Give up quotes that nobody paid; the number that changed."""
    return lapse_stale()


@shared_task(name="marketplace.tasks.settle_payments")
def settle_payments() -> int:
    """Send what is due of releases, refunds and payouts; the number of steps that moved."""
    return settle()
