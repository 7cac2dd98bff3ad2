"""The states of a purchase: the table itself, and that nothing but the chain's final word counts."""

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.models import Event
from marketplace.models import Agent, EscrowFact, Purchase
from marketplace.purchases import facts
from marketplace.purchases.states import TERMINAL, TRANSITIONS, Happening, Status, sources
from tests.factories.marketplace import PurchaseFactory
from tests.marketplace.events import PAYER, escrow_event, time_of

pytestmark = pytest.mark.django_db
FAR = time_of(10**6)
COLUMNS = [
    "status",
    "fee_bps",
    "payer",
    "deposit_tx_hash",
    "deposit_block",
    "release_after",
    "expires_at",
    "refunded_amount",
    "deposited_at",
    "closed_at",
]


def quoted() -> Purchase:
    purchase: Purchase = PurchaseFactory.create(valid_until=FAR)
    return purchase


def standing(purchase: Purchase) -> dict[str, object]:
    values = dict(Purchase.objects.values(*COLUMNS, "activated_at", "agent__purchase_count").get(pk=purchase.pk))
    values["activated_at"] = values["activated_at"] is not None
    return values


# --- the table


def test_terminal_states_are_never_left() -> None:
    assert {status for status, _ in TRANSITIONS} & TERMINAL == set()


def test_every_state_but_the_first_is_reached() -> None:
    assert set(TRANSITIONS.values()) == set(Status) - {Status.QUOTED}


def test_nothing_but_a_deposit_leads_from_unpaid_to_paid() -> None:
    unpaid = {Status.QUOTED, Status.UNKNOWN, Status.LAPSED}
    crossings = {what for (before, what), after in TRANSITIONS.items() if before in unpaid and after not in unpaid}
    assert crossings == {Happening.DEPOSIT}


def test_nothing_leads_from_paid_to_unpaid() -> None:
    unpaid = {Status.QUOTED, Status.UNKNOWN, Status.LAPSED}
    assert not [key for key, after in TRANSITIONS.items() if key[0] not in unpaid and after in unpaid]


def test_sources_are_the_tables() -> None:
    assert sources(Happening.LAPSE) == [Status.QUOTED, Status.UNKNOWN]


EVENTS = {
    Happening.DEPOSIT: ("PaymentDeposited", {}),
    Happening.DISPUTE: ("DisputeOpened", {}),
    Happening.RELEASE: ("PaymentReleased", {}),
    Happening.REFUND: ("PaymentRefunded", {}),
    Happening.RESOLVE: ("DisputeResolved", {}),
    Happening.RESOLVE_BY_REFUND: ("DisputeResolved", {"refundAmount": 10**16, "creatorAmount": 0, "feeAmount": 0}),
}
WAY_TO = {
    Status.QUOTED: [],
    Status.DEPOSITED: [Happening.DEPOSIT],
    Status.DISPUTED: [Happening.DEPOSIT, Happening.DISPUTE],
    Status.RELEASED: [Happening.DEPOSIT, Happening.RELEASE],
    Status.REFUNDED: [Happening.DEPOSIT, Happening.REFUND],
}


@pytest.mark.parametrize(("status", "happening"), list(product(WAY_TO, EVENTS)))
def test_event_in_every_state_does_what_the_table_says(status: Status, happening: Happening) -> None:
    purchase = quoted()
    for block, what in enumerate([*WAY_TO[status], happening], start=1):
        name, changes = EVENTS[what]
        facts.on_seen(escrow_event(purchase, name, block, **changes))
    last = EscrowFact.objects.order_by("block_number").last()
    assert last is not None
    expected = TRANSITIONS.get((status, happening))
    assert standing(purchase)["status"] == (expected or status)
    assert last.problem == ("" if expected else "out_of_order")


# --- single events


def test_deposit_is_deposited_when_seen_and_active_when_confirmed() -> None:
    purchase = quoted()
    deposit = escrow_event(purchase, "PaymentDeposited", 5)
    facts.on_seen(deposit)
    assert standing(purchase) == {
        "status": "deposited",
        "fee_bps": 250,
        "payer": PAYER,
        "deposit_tx_hash": deposit.transaction_hash,
        "deposit_block": 5,
        "release_after": time_of(55),
        "expires_at": time_of(105),
        "refunded_amount": 0,
        "deposited_at": time_of(5),
        "closed_at": None,
        "activated_at": False,
        "agent__purchase_count": 0,
    }
    facts.on_confirmed(deposit)
    after = standing(purchase)
    assert (after["status"], after["activated_at"], after["agent__purchase_count"]) == ("active", True, 1)


def test_same_event_again_changes_nothing() -> None:
    purchase = quoted()
    deposit = escrow_event(purchase, "PaymentDeposited")
    facts.on_confirmed(deposit)
    before = Purchase.objects.values().get()
    for _ in range(3):
        facts.on_confirmed(deposit)
    assert Purchase.objects.values().get() == before
    assert Agent.objects.get(pk=purchase.agent_id).purchase_count == 1
    assert EscrowFact.objects.count() == 1


def test_fee_of_the_deposit_replaces_the_quoted_one_and_comes_back_on_undo() -> None:
    purchase = quoted()
    deposit = escrow_event(purchase, "PaymentDeposited", feeBps=100)
    facts.on_seen(deposit)
    assert standing(purchase)["fee_bps"] == 100
    facts.on_reverted(deposit)
    assert standing(purchase)["fee_bps"] == 250


def test_lapsed_purchase_whose_deposit_is_read_later_is_deposited_and_lapses_again_on_undo() -> None:
    purchase = quoted()
    Purchase.objects.update(status="lapsed", lapsed_at=FAR)
    deposit = escrow_event(purchase, "PaymentDeposited")
    facts.on_seen(deposit)
    assert standing(purchase)["status"] == "deposited"
    facts.on_reverted(deposit)
    assert standing(purchase)["status"] == "lapsed"


def test_deposit_mined_after_the_quotes_end_credits_nobody() -> None:
    purchase = quoted()
    Purchase.objects.update(valid_until=time_of(9))
    facts.on_confirmed(escrow_event(purchase, "PaymentDeposited", 10))
    assert standing(purchase)["status"] == "quoted"
    assert EscrowFact.objects.get().problem == "late"


def test_deposit_mined_in_the_last_second_counts() -> None:
    purchase = quoted()
    Purchase.objects.update(valid_until=time_of(10))
    facts.on_confirmed(escrow_event(purchase, "PaymentDeposited", 10))
    assert standing(purchase)["status"] == "active"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("PaymentDeposited", {"amount": 10**16 - 1}),
        ("PaymentDeposited", {"amount": 2**256 - 1}),
        ("PaymentDeposited", {"agentId": 2**256 - 1}),
        ("PaymentDeposited", {"accessDuration": 2**64 - 1}),
        ("PaymentDeposited", {"feeBps": 65_535}),
        ("PaymentRefunded", {"amount": 10**16 + 1}),
        ("PaymentRefunded", {"amount": 2**256 - 1}),
        ("PaymentReleased", {"creatorAmount": 2**256 - 1}),
        ("DisputeResolved", {"refundAmount": 2**255}),
    ],
)
def test_amounts_that_do_not_fit_are_noted_and_change_nothing(name: str, changes: dict[str, int]) -> None:
    purchase = quoted()
    if name != "PaymentDeposited":
        facts.on_seen(escrow_event(purchase, "PaymentDeposited", 1))
        facts.on_seen(escrow_event(purchase, "DisputeOpened", 2))
    before = standing(purchase)
    facts.on_seen(escrow_event(purchase, name, 3, **changes))
    assert standing(purchase) == before
    assert EscrowFact.objects.get(name=name, block_number=3).problem == "terms_differ"


def test_far_future_times_are_kept_as_none() -> None:
    purchase = quoted()
    facts.on_seen(escrow_event(purchase, "PaymentDeposited", releaseAfter=2**64 - 1, expiresAt=2**64 - 1))
    after = standing(purchase)
    assert (after["status"], after["release_after"], after["expires_at"]) == ("deposited", None, None)


def test_release_that_arrives_before_its_deposit_counts_once_the_deposit_is_there() -> None:
    purchase = quoted()
    facts.on_seen(escrow_event(purchase, "PaymentReleased", 7))
    assert standing(purchase)["status"] == "quoted"
    assert EscrowFact.objects.get().problem == "out_of_order"
    facts.on_seen(escrow_event(purchase, "PaymentDeposited", 3))
    assert standing(purchase)["status"] == "released"
    assert not EscrowFact.objects.exclude(problem="").exists()


def test_order_within_a_block_is_the_logs() -> None:
    purchase = quoted()
    facts.on_seen(escrow_event(purchase, "PaymentReleased", 3, index=9))
    facts.on_seen(escrow_event(purchase, "PaymentDeposited", 3, index=2))
    assert standing(purchase)["status"] == "released"


def test_event_of_another_payment_touches_nothing_else() -> None:
    mine, other = quoted(), quoted()
    before = standing(mine)
    facts.on_confirmed(escrow_event(other, "PaymentDeposited"))
    assert standing(mine) == before


# --- any order

STORIES = [
    ["PaymentDeposited"],
    ["PaymentDeposited", "PaymentReleased"],
    ["PaymentDeposited", "PaymentRefunded"],
    ["PaymentDeposited", "DisputeOpened", "DisputeResolved"],
    ["PaymentDeposited", "DisputeOpened", "PaymentReleased"],
    ["PaymentReleased", "PaymentDeposited", "DisputeOpened", "PaymentRefunded", "PaymentReleased"],
]
# What the listener may say of one event, in turn: it is read, settles, is undone, is read again.
LIVES = st.lists(st.sampled_from(["seen", "confirmed", "reverted"]), min_size=1, max_size=4)
TELL = {"seen": facts.on_seen, "confirmed": facts.on_confirmed, "reverted": facts.on_reverted}


@pytest.mark.slow
def test_any_order_of_arrival_with_reorgs_ends_where_the_chain_ends() -> None:
    first = quoted()
    untouched = standing(first)

    def another() -> Purchase:
        """A purchase of the same agent by the same buyer, as if it were the agent's first."""
        Agent.objects.update(purchase_count=0)
        purchase: Purchase = PurchaseFactory.create(
            agent=first.agent,
            buyer=first.buyer,
            valid_until=FAR,
            creator_address=first.creator_address,
            recipient=first.recipient,
        )
        return purchase

    @settings(max_examples=30, deadline=None)
    @given(data=st.data(), story=st.sampled_from(STORIES))
    def check(data: st.DataObject, story: list[str]) -> None:
        lives = [data.draw(LIVES, label=name) for name in story]
        # When: the events' lives are interleaved in some order.
        purchase = another()
        events = [escrow_event(purchase, name, block) for block, name in enumerate(story, start=1)]
        turns = data.draw(st.permutations([number for number, life in enumerate(lives) for _ in life]), label="turns")
        words = [iter(life) for life in lives]
        for number in turns:
            TELL[next(words[number])](events[number])
            check_invariants(purchase)
        mine = standing(purchase)
        # And: undoing everything leaves the quote as it was.
        for event in events:
            facts.on_reverted(event)
        assert standing(purchase) == untouched
        # Then: it stood where a purchase stands that heard only the last word on each event, in the chain's order.
        twin = another()
        for block, (name, life) in enumerate(zip(story, lives, strict=True), start=1):
            if life[-1] != "reverted":
                TELL[life[-1]](escrow_event(twin, name, block))
        theirs = standing(twin)
        for each in (mine, theirs):
            each["deposit_tx_hash"] = each["deposit_tx_hash"] is not None
        assert mine == theirs

    check()


def check_invariants(purchase: Purchase) -> None:
    now = Purchase.objects.select_related("agent").get(pk=purchase.pk)
    paid = now.status not in (Status.QUOTED, Status.UNKNOWN, Status.LAPSED)
    assert paid == (now.deposited_at is not None) == (now.payer is not None) == (now.deposit_tx_hash is not None)
    assert (now.status in TERMINAL) == (now.closed_at is not None)
    assert 0 <= now.refunded_amount <= now.amount
    assert (now.status == Status.REFUNDED) <= (now.refunded_amount == now.amount)
    assert (now.status == Status.ACTIVE) <= (now.activated_at is not None)
    assert now.agent.purchase_count == int(now.activated_at is not None and now.status != Status.REFUNDED)
    live = now.facts.filter(name="PaymentDeposited").exclude(status=Event.Status.REVERTED)
    assert paid == live.filter(problem="").exists()


def test_ways_to_the_states_follow_the_table() -> None:
    for status, way in WAY_TO.items():
        reached = [Status.QUOTED]
        for what in way:
            reached.append(TRANSITIONS[reached[-1], what])
        assert reached[-1] == status
        assert all(before != after for before, after in pairwise(reached))
