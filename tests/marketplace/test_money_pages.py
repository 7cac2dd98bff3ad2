"""The pages about money: the purchase for each party, and the studio's sales and payouts."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Agent, Credit, Exit, Purchase, Withdrawal
from marketplace.purchases import facts
from tests.factories.marketplace import PurchaseFactory
from tests.marketplace.events import escrow_event, time_of
from tests.pages import SignIn, text
from wallets.models import User

pytestmark = pytest.mark.django_db
PRICE = 10**16


def paid(buyer: User, agent: Agent, *more: str, **changes: Any) -> Purchase:
    """A purchase paid and confirmed a moment ago, then whatever `more` events say."""
    purchase: Purchase = PurchaseFactory.create(buyer=buyer, agent=agent, valid_until=time_of(10**6))
    facts.on_confirmed(escrow_event(purchase, "PaymentDeposited"))
    for block, name in enumerate(more, start=2):
        facts.on_confirmed(escrow_event(purchase, name, block, **changes.get(name, {})))
    # The made-up chain is in the past; what the page says depends on the clock.
    Purchase.objects.filter(pk=purchase.pk).update(
        release_after=timezone.now() + timedelta(hours=1), expires_at=timezone.now() + timedelta(hours=2)
    )
    purchase.refresh_from_db()
    return purchase


@pytest.mark.parametrize(
    ("who", "sees", "not_this"),
    [
        ("buyer", ["Your purchases", "Open a dispute", "Release now"], "Refund the buyer"),
        ("creator", ["Your sales", "bought by", "Refund the buyer"], "Open a dispute</button>"),
        ("staff", ["Administration"], "data-actions"),
    ],
)
def test_each_party_finds_its_own_buttons(
    signed_in: SignIn, buyer: User, creator: User, staff: User, agent: Agent, who: str, sees: list[str], not_this: str
) -> None:
    purchase = paid(buyer, agent)
    browser = signed_in({"buyer": buyer, "creator": creator, "staff": staff}[who])
    page = text(browser.get(f"/purchases/{purchase.pk}/"))
    for sentence in ("Paid into escrow", "Time to object ends", *sees):
        assert sentence in page
    assert not_this not in page


@pytest.mark.parametrize("address", ["", "progress/"])
def test_strangers_and_visitors_find_nothing(
    client: Client, signed_in: SignIn, stranger: User, buyer: User, agent: Agent, address: str
) -> None:
    purchase = paid(buyer, agent)
    assert client.get(f"/purchases/{purchase.pk}/{address}").status_code == 302
    assert signed_in(stranger).get(f"/purchases/{purchase.pk}/{address}").status_code == 404


@pytest.mark.parametrize(
    ("more", "changes", "sentence"),
    [
        (["DisputeOpened"], {}, "There is a dispute about this payment."),
        (["PaymentReleased"], {}, "The creator has been paid."),
        (["PaymentRefunded"], {}, "0.01 ETH went back to the buyer."),
        (["DisputeOpened", "DisputeResolved"], {}, "0.005 ETH went back to the buyer, the rest to the creator."),
        (
            ["DisputeOpened", "DisputeResolved"],
            {"DisputeResolved": {"refundAmount": PRICE, "creatorAmount": 0, "feeAmount": 0}},
            "0.01 ETH went back to the buyer.",
        ),
    ],
)
def test_how_it_ended_is_said_in_a_sentence(
    signed_in: SignIn, buyer: User, agent: Agent, more: list[str], changes: dict[str, Any], sentence: str
) -> None:
    purchase = paid(buyer, agent, *more, **changes)
    assert sentence in text(signed_in(buyer).get(f"/purchases/{purchase.pk}/progress/"))


def test_texts_of_a_dispute_are_shown_as_text(signed_in: SignIn, buyer: User, creator: User, agent: Agent) -> None:
    purchase = paid(buyer, agent, "DisputeOpened")
    purchase.statements.create(
        side="creator",
        author=creator,
        is_reason=False,
        text="<img src=x onerror=alert(1)>\nsecond",
        hash="0x" + "1" * 64,
    )
    page = text(signed_in(buyer).get(f"/purchases/{purchase.pk}/"))
    assert "&lt;img src=x onerror=alert(1)&gt;<br>second" in page


def test_sales_show_money_payouts_and_each_sale(
    client: Client, signed_in: SignIn, buyer: User, creator: User, agent: Agent
) -> None:
    # given one sale in escrow, one released, one disputed
    paid(buyer, agent)
    paid(buyer, agent, "PaymentReleased")
    disputed = paid(buyer, agent, "DisputeOpened")
    PurchaseFactory.create(agent=agent, buyer=buyer)

    # when
    page = text(signed_in(creator).get("/studio/sales/"))

    # then
    share = "0.00975 ETH"
    assert page.count("data-withdrawable") == 1
    assert f"data-withdrawable> {share} </dd>" in page or f"data-withdrawable>{share}</dd>" in page
    assert "0.0195 ETH" in page  # two sales in escrow
    assert "data-withdraw data-network" in page
    assert f'href="/purchases/{disputed.pk}/">Answer' in page
    assert page.count("bought by") == 0
    assert "No payout yet." in page
    assert client.get("/studio/sales/").status_code == 302
    assert "Nobody has bought one of your agents yet." in text(signed_in(buyer).get("/studio/sales/"))


def test_the_page_of_sales_costs_the_same_number_of_queries_however_many(
    signed_in: SignIn, buyer: User, creator: User, agent: Agent
) -> None:
    browser = signed_in(creator)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert browser.get("/studio/sales/").status_code == 200
        return len(captured)

    paid(buyer, agent, "PaymentReleased")
    queries()
    few = queries()
    for _ in range(6):
        paid(buyer, agent, "PaymentReleased")
    assert queries() == few


def test_credits_follow_the_facts_back_and_forth(buyer: User, agent: Agent) -> None:
    purchase: Purchase = PurchaseFactory.create(buyer=buyer, agent=agent, valid_until=time_of(10**6))
    deposit = escrow_event(purchase, "PaymentDeposited")
    refund = escrow_event(purchase, "PaymentRefunded", 2)

    def credits_() -> list[tuple[str, int, bool]]:
        return list(Credit.objects.values_list("kind", "amount", "confirmed"))

    facts.on_seen(refund)  # an event that a node had withheld comes later than its successor
    assert credits_() == []
    facts.on_seen(deposit)
    assert credits_() == [("refund", PRICE, False)]
    facts.on_confirmed(deposit)
    facts.on_confirmed(refund)
    facts.on_confirmed(refund)
    assert credits_() == [("refund", PRICE, True)]
    facts.on_reverted(refund)
    assert credits_() == []
    assert not Withdrawal.objects.exists()


# --- staff and stopped steps


@pytest.mark.parametrize(("allowed", "status"), [(True, "waiting"), (False, "stopped")])
def test_staff_with_the_permission_have_stopped_steps_tried_again(
    buyer: User, agent: Agent, allowed: bool, status: str
) -> None:
    step = Exit.objects.create(
        purchase=paid(buyer, agent), kind="withdrawal", status="stopped", next_at=timezone.now(), detail="It refuses."
    )
    person = User.objects.create_user(email="helper@example.org", is_staff=True)
    names = ["view_exit", "retry_exit"] if allowed else ["view_exit"]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    browser = Client()
    browser.force_login(person)
    address = reverse("admin:marketplace_exit_changelist")
    assert "It refuses." in text(browser.get(address))
    browser.post(address, {"action": "try_again", "_selected_action": [str(step.pk)]})
    step.refresh_from_db()
    assert step.status == status
    assert LogEntry.objects.count() == int(allowed)
