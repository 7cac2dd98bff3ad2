"""Giving up quotes that nobody paid."""

from datetime import datetime, timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from chain.models import Block, Cursor
from chain.networks import default_network
from marketplace.errors import QuoteOverError
from marketplace.models import Purchase
from marketplace.purchases import facts
from marketplace.purchases.deposits import require_payable
from marketplace.purchases.lapsing import PATIENCE, lapse_stale, settled_time
from marketplace.tasks import lapse_stale_quotes
from tests.factories.marketplace import PurchaseFactory
from tests.marketplace.events import escrow_event, time_of

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def read_up_to(block: int) -> None:
    """The listener has read the made-up chain up to `block`."""
    Cursor.objects.update_or_create(network="local", defaults={"block_number": block, "head_number": block})
    for number in range(max(0, block - 10), block + 1):
        Block.objects.get_or_create(
            network="local",
            number=number,
            defaults={"hash": f"0x{number:064x}", "parent_hash": "0x" + "00" * 32, "timestamp": time_of(number)},
        )


def quote_until(end: datetime, **values: object) -> Purchase:
    purchase: Purchase = PurchaseFactory.create(valid_until=end, **values)
    return purchase


def status(purchase: Purchase) -> str:
    return Purchase.objects.get(pk=purchase.pk).status


def test_quote_lapses_once_a_later_block_is_settled() -> None:
    end = time_of(100)
    purchase = quote_until(end)
    confirmations = default_network().confirmations
    # A block with the very second of the end could still hold the deposit.
    read_up_to(100 + confirmations)
    assert settled_time(default_network()) == time_of(100)
    assert lapse_stale(end + SECOND) == 0
    assert status(purchase) == "quoted"
    read_up_to(101 + confirmations)
    assert lapse_stale(end + SECOND) == 1
    assert status(purchase) == "lapsed"
    assert Purchase.objects.get(pk=purchase.pk).lapsed_at == end + SECOND
    assert lapse_stale(end + SECOND) == 0


def test_our_clock_alone_never_lapses_a_quote() -> None:
    end = time_of(100)
    purchase = quote_until(end)
    read_up_to(90)
    assert lapse_stale(end + PATIENCE) == 0
    assert status(purchase) == "quoted"


def test_quote_is_unknown_while_the_listener_lags_and_resolved_when_it_catches_up() -> None:
    end = time_of(100)
    unpaid, paid = quote_until(end), quote_until(end)
    read_up_to(90)
    assert lapse_stale(end + PATIENCE + SECOND) == 2
    assert (status(unpaid), status(paid)) == ("unknown", "unknown")
    assert lapse_stale(end + PATIENCE + SECOND) == 0
    facts.on_seen(escrow_event(paid, "PaymentDeposited", 99))
    read_up_to(120)
    assert lapse_stale(end + 2 * PATIENCE) == 1
    assert (status(unpaid), status(paid)) == ("lapsed", "deposited")


def test_quote_is_unknown_before_anything_was_read() -> None:
    purchase = quote_until(timezone.now() - 2 * PATIENCE)
    assert settled_time(default_network()) is None
    assert lapse_stale_quotes() == 1
    assert status(purchase) == "unknown"


@pytest.mark.parametrize("kept", ["deposited", "active", "disputed", "released", "refunded", "lapsed"])
def test_other_states_stay(kept: str) -> None:
    purchase = quote_until(time_of(1), status=kept)
    read_up_to(500)
    assert lapse_stale() == 0
    assert status(purchase) == kept


def test_other_networks_blocks_say_nothing() -> None:
    purchase = quote_until(time_of(1), network="base")
    read_up_to(500)
    assert lapse_stale() == 0
    assert status(purchase) == "quoted"


def test_undone_deposit_of_an_unknown_purchase_leaves_it_unknown() -> None:
    purchase = quote_until(time_of(100))
    lapse_stale(time_of(100) + 2 * PATIENCE)
    deposit = escrow_event(purchase, "PaymentDeposited", 99)
    facts.on_seen(deposit)
    assert status(purchase) == "deposited"
    facts.on_reverted(deposit)
    assert status(purchase) == "unknown"


def test_what_is_over_cannot_be_paid() -> None:
    for state, sentence in (
        ("lapsed", "This quote has run out. Ask for a new one."),
        ("unknown", "we have not read the chain up to its end yet"),
        ("active", "This purchase is paid already."),
        ("refunded", "This purchase is paid already."),
    ):
        with pytest.raises(QuoteOverError, match=sentence):
            require_payable(quote_until(timezone.now() + PATIENCE, status=state))
    with pytest.raises(QuoteOverError, match="has run out"):
        require_payable(quote_until(timezone.now() - SECOND))
    require_payable(quote_until(timezone.now() + PATIENCE))


@pytest.mark.django_db(transaction=True)
def test_row_that_a_deposit_holds_is_passed_over() -> None:
    purchase = quote_until(time_of(1))
    read_up_to(500)
    results: list[int] = []

    def sweep() -> None:
        try:
            results.append(lapse_stale())
        finally:
            connection.close()

    with transaction.atomic():
        Purchase.objects.select_for_update().get(pk=purchase.pk)
        sweeper = Thread(target=sweep)
        sweeper.start()
        sweeper.join(10)
    assert results == [0]
    assert lapse_stale() == 1
