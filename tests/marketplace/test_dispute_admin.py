"""Staff decide disputes: the queue, the page, the preview, one decision, and what became of its transaction."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from chain.models import OutboxTransaction
from chain.tokens import NATIVE
from marketplace.disputes.resolving import division, resolve
from marketplace.disputes.statements import open_dispute
from marketplace.errors import InvalidTransitionError
from marketplace.models import Agent, Decision, EscrowFact, Purchase, Statement
from marketplace.purchases.parties import Party
from marketplace.purchases.timeline import timeline
from tests.factories.executions import ExecutionFactory
from tests.factories.marketplace import AgentVersionFactory, PurchaseFactory
from tests.factories.wallets import StaffFactory
from tests.marketplace.events import escrow_event
from tests.marketplace.settling import EXPIRED, Later, Platform, Send, account_of, fresh, steps_of, with_gas
from tests.pages import text
from wallets.models import User

REASON = "It does not do what its page promises, at all."
DECISION = "The page promises tables and the run returned none; half of the price is fair."
LIST = "admin:marketplace_dispute_changelist"


def page_of(purchase: Purchase) -> str:
    return reverse("admin:marketplace_dispute_change", args=[purchase.pk])


def staff_with(*permissions: str) -> Client:
    person = User.objects.create_user(email=f"{'-'.join(permissions)}@example.org", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def admin(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def disputed(bought: Purchase, rich_buyer: User, platform: Platform, send: Send) -> Purchase:
    """A purchase whose buyer opened a dispute with a reason that we have."""
    _, call = open_dispute(bought, rich_buyer, Party.BUYER, REASON)
    send(call.call, account_of(rich_buyer))
    platform.listener.confirm()
    return fresh(bought)


def decide(client: Client, purchase: Purchase, **changes: Any) -> Any:
    return client.post(
        page_of(purchase), {"refund_percent": "50", "text": DECISION, "send": "1", **changes}, follow=True
    )


# --- arithmetic


@given(st.integers(1, 2**88 - 1), st.integers(0, 10_000), st.integers(0, 1000))
def test_nothing_is_lost_in_a_division(amount: int, refund_bps: int, fee_bps: int) -> None:
    parts = division(amount, refund_bps, fee_bps)
    assert parts.refund + parts.creator + parts.fee == amount
    assert min(parts.refund, parts.creator, parts.fee) >= 0


# --- the queue


@pytest.mark.django_db
def test_the_queue_has_the_nearest_deadline_first_and_only_open_disputes(admin: Client) -> None:
    # given
    now = timezone.now()
    hours = {"later": 50, "sooner": 3, "over": -1}
    for name, left in hours.items():
        purchase = PurchaseFactory.create(
            status="disputed", agent__name=name, deposited_at=now, expires_at=now + timedelta(hours=left)
        )
        _opened(purchase)
    closed = PurchaseFactory.create(status="refunded", agent__name="closed", expires_at=now)
    _opened(closed)
    PurchaseFactory.create(status="active", agent__name="calm", expires_at=now)

    # when
    rows = admin.get(reverse(LIST)).context["cl"].queryset

    # then
    assert [row.agent.name for row in rows] == ["over", "sooner", "later"]
    page = text(admin.get(reverse(LIST)))
    assert "2 days 1 h" in page
    assert "2 h 59 min" in page
    assert [row.agent.name for row in admin.get(reverse(LIST), {"state": "closed"}).context["cl"].queryset] == [
        "closed"
    ]
    assert len(admin.get(reverse(LIST), {"state": "all"}).context["cl"].queryset) == 4


def _opened(purchase: Purchase) -> None:
    event = escrow_event(purchase, "DisputeOpened")
    EscrowFact.objects.create(
        event=event,
        purchase=purchase,
        payment_id=purchase.payment_id,
        name="DisputeOpened",
        network="local",
        status="confirmed",
        block_number=1,
        log_index=0,
        block_time=event.block_time,
    )


@pytest.mark.django_db
def test_the_queue_costs_the_same_number_of_queries_however_long(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        _opened(PurchaseFactory.create(status="disputed", expires_at=timezone.now() + timedelta(days=1)))
    admin.get(reverse(LIST))
    with django_assert_max_num_queries(16):
        admin.get(reverse(LIST))


# --- who may


@pytest.mark.django_db
def test_reading_and_deciding_are_permissions_of_their_own(disputed: Purchase, user: User) -> None:
    visitor, member = Client(), Client()
    member.force_login(user)
    for stranger in (visitor, member):
        assert stranger.get(page_of(disputed)).status_code == 302
        assert decide(stranger, disputed).redirect_chain
    nobody, reader = staff_with("view_agent"), staff_with("view_dispute")
    decider = staff_with("view_dispute", "resolve_dispute")
    assert nobody.get(page_of(disputed)).status_code == 403
    assert "takes the permission" in text(reader.get(page_of(disputed)))
    assert decide(reader, disputed).status_code == 403
    assert not Decision.objects.exists()
    assert "Show who gets what" in text(decider.get(page_of(disputed)))
    assert decide(decider, disputed).status_code == 200
    assert Decision.objects.count() == 1


# --- reading


def test_the_page_shows_both_sides_and_the_runs_of_the_buyer(
    admin: Client, disputed: Purchase, creator: User, rich_buyer: User, agent: Agent
) -> None:
    Statement.objects.create(
        purchase=disputed,
        side="creator",
        author=creator,
        is_reason=False,
        text="<b>Read the page</b>",
        hash="0x" + "1" * 64,
    )
    version = AgentVersionFactory.create(agent=agent, number="9.9.9")
    for status, reason in (("succeeded", ""), ("succeeded", ""), ("failed", "exit")):
        ExecutionFactory.create(version=version, user=rich_buyer, status=status, reason=reason)
    ExecutionFactory.create(version=version, user=creator, status="succeeded")
    page = text(admin.get(page_of(disputed)))
    assert REASON in page
    assert "&lt;b&gt;Read the page&lt;/b&gt;" in page
    assert "3: 2 succeeded, 1 failed" in page
    assert "29 days" in page or "30 days" in page or "32 days" in page
    link = page.split('href="/admin/executions/execution/?')[1].split('"')[0].replace("&amp;", "&")
    listed = admin.get(f"/admin/executions/execution/?{link}")
    assert listed.status_code == 200
    assert listed.context["cl"].queryset.count() == 3


# --- deciding


def test_the_preview_says_exactly_who_gets_what_and_sends_nothing(admin: Client, disputed: Purchase) -> None:
    response = admin.post(page_of(disputed), {"refund_percent": "33.33", "text": DECISION})
    page = text(response)
    for amount in ("0.003333 ETH", "0.006500325 ETH", "0.000166675 ETH", "3,333,000,000,000,000"):
        assert amount in page
    assert str(disputed.payer) in page
    assert disputed.creator_address in page
    assert "The buyer keeps the access." in page
    assert not Decision.objects.exists()
    assert "Show who gets what" in text(
        admin.post(page_of(disputed), {"refund_percent": "33.33", "text": DECISION, "back": "1"})
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"refund_percent": "100.01"}, "less than or equal to 100"),
        ({"refund_percent": "-1"}, "greater than or equal to 0"),
        ({"refund_percent": "1.234"}, "no more than 2 decimal places"),
        ({"refund_percent": "NaN"}, "Enter a number."),
        ({"text": "short"}, "Enter at least 20 characters."),
        ({"text": ""}, "This field is required."),
    ],
)
def test_refused_values_are_named_and_nothing_is_sent(
    admin: Client, disputed: Purchase, changes: dict[str, str], sentence: str
) -> None:
    assert sentence in text(decide(admin, disputed, **changes))
    assert not OutboxTransaction.objects.exists()


@pytest.mark.parametrize(("percent", "status", "access"), [("0", "released", True), ("100", "refunded", False)])
def test_a_decision_is_carried_out_and_the_buyer_paid_without_a_click(
    admin: Client, staff: User, disputed: Purchase, platform: Platform, percent: str, status: str, access: bool
) -> None:
    # when
    page = text(decide(admin, disputed, refund_percent=percent))

    # then it is on its way, by the arbiter's own key, and noted in the audit log
    assert "The decision is on its way to the chain." in page
    sent = OutboxTransaction.objects.get()
    assert (sent.key_name, sent.status) == ("ARBITER_KEY", "queued")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (staff, str(disputed.pk))
    assert entry.change_message == f"Decided: {percent} % back to the buyer. {DECISION}"
    assert "Queued" in page
    assert "decided already" in page

    # and when everybody has done their work, it is done
    platform.work(3)
    assert fresh(disputed).status == status
    assert "Confirmed" in text(admin.get(page_of(disputed)))
    resolved = [item for item in timeline(fresh(disputed)) if item.kind in ("decided", "resolved")]
    assert [(item.state, item.quote) for item in resolved] == [("done", DECISION), ("done", "")]
    assert steps_of(disputed) == ({"withdrawal": "done"} if percent == "100" else {})


def test_a_shared_decision_pays_both(admin: Client, disputed: Purchase, platform: Platform) -> None:
    decide(admin, disputed)
    platform.work(3)
    assert fresh(disputed).refunded_amount == 5 * 10**15
    share = 5 * 10**15 * 9_750 // 10_000
    assert platform.contracts.escrow.withdrawable(NATIVE, disputed.creator_address) == share
    assert steps_of(disputed) == {"withdrawal": "done"}
    page = text(admin.get(page_of(disputed)))
    assert "not disputed (any more)" in page


@pytest.mark.django_db(transaction=True)
def test_two_staff_at_once_make_one_decision(disputed: Purchase) -> None:
    people = [StaffFactory.create() for _ in range(4)]

    def attempt(person: User) -> str:
        try:
            resolve(disputed, person, 1_000 * (1 + people.index(person)), DECISION)
        except InvalidTransitionError as exc:
            return exc.message
        finally:
            connection.close()
        return "decided"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, people))
    assert outcomes.count("decided") == 1
    assert {outcome for outcome in outcomes if outcome != "decided"} == {
        "This dispute is decided already; the decision is on its way to the chain."
    }
    assert Decision.objects.count() == OutboxTransaction.objects.count() == 1


def test_a_decision_that_comes_too_late_is_said_in_words_and_everything_goes_back(
    admin: Client, disputed: Purchase, platform: Platform, mine: Any, later: Later
) -> None:
    # given a decision in the last moment whose transaction is late
    decide(admin, disputed)
    mine(1, seconds=EXPIRED)

    # when
    platform.sender.step()

    # then
    page = text(admin.get(page_of(disputed)))
    assert "Failed" in page
    assert "The time to decide is over: the hold period of this payment has ended" in page
    assert OutboxTransaction.objects.get().detail.startswith("AgentNexusEscrow: ResolutionOver(")
    platform.listener.confirm()
    assert "The time to decide is over: the whole amount goes back to the buyer." in text(admin.get(page_of(disputed)))
    platform.work(3)
    assert steps_of(disputed) == {"refund": "done", "withdrawal": "done"}
    assert [item.state for item in timeline(fresh(disputed)) if item.kind == "decided"] == ["failed"]


def test_when_the_arbiters_transaction_failed_another_decision_may_be_made(
    admin: Client, disputed: Purchase, platform: Platform
) -> None:
    decide(admin, disputed)
    OutboxTransaction.objects.update(status="failed", detail="AgentNexusEscrow: NotArbiter(0x1, 0x2)")
    page = text(admin.get(page_of(disputed)))
    assert "The escrow has another arbiter by now." in page
    assert "Show who gets what" in page
    decide(admin, disputed, refund_percent="75")
    platform.work(3)
    assert [decision.number for decision in Decision.objects.all()] == [1, 2]
    assert fresh(disputed).refunded_amount == 75 * 10**14


def test_the_site_itself_needs_no_arbiters_key_and_the_outbox_says_when_it_has_none(
    admin: Client, disputed: Purchase, platform: Platform, settings: Settings
) -> None:
    key = settings.KEYS["ARBITER_KEY"]
    settings.KEYS = {**settings.KEYS, "ARBITER_KEY": ""}
    decide(admin, disputed)
    platform.work()
    assert "ARBITER_KEY is not set." in text(admin.get(page_of(disputed)))
    settings.KEYS = {**settings.KEYS, "ARBITER_KEY": key}
    platform.work(2)
    assert fresh(disputed).status == "released"


def test_a_creator_who_refunds_meanwhile_leaves_nothing_to_decide(
    admin: Client, disputed: Purchase, creator: User, platform: Platform, send: Send
) -> None:
    decide(admin, disputed)
    send(platform.contracts.escrow.encode_refund(disputed.payment_id), with_gas(creator, platform.contracts))
    platform.work(3)
    page = text(admin.get(page_of(disputed)))
    assert "The payment was settled in another way in the meantime." in page
    assert "not disputed (any more)" in page
    assert fresh(disputed).status == "refunded"
