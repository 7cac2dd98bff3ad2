"""Access mirrored from the entitlements contract."""

import time
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from marketplace.models import Agent, Entitlement
from marketplace.purchases import entitlements
from marketplace.purchases.access import Access, Reason, has_access
from marketplace.purchases.models import LIFETIME
from tests.factories.marketplace import EntitlementFactory, PublishedAgentFactory, grant_access
from tests.factories.wallets import LinkedWalletFactory, UserFactory
from tests.marketplace.events import entitlement_event
from wallets.models import User

pytestmark = pytest.mark.django_db
HOLDER = "0x" + "44" * 20


def expiries() -> tuple[int, int]:
    row = Entitlement.objects.get()
    return row.seen_expires_at, row.expires_at


def test_access_is_given_after_the_confirmations_and_taken_back_at_once() -> None:
    grant, end = entitlement_event(HOLDER, 7, LIFETIME, 1), entitlement_event(HOLDER, 7, 0, 2)
    entitlements.on_seen(grant)
    assert expiries() == (LIFETIME, 0)
    entitlements.on_confirmed(grant)
    assert expiries() == (LIFETIME, LIFETIME)
    entitlements.on_seen(end)
    assert expiries() == (0, 0)
    entitlements.on_reverted(end)
    assert expiries() == (LIFETIME, LIFETIME)


def test_extension_counts_once_it_is_confirmed() -> None:
    first, second = entitlement_event(HOLDER, 7, 100, 1), entitlement_event(HOLDER, 7, 200, 5)
    entitlements.on_confirmed(first)
    entitlements.on_seen(second)
    assert expiries() == (200, 100)
    entitlements.on_confirmed(second)
    assert expiries() == (200, 200)


def test_last_event_in_the_chains_order_wins_whatever_came_first() -> None:
    late, early = entitlement_event(HOLDER, 7, 300, 3, index=4), entitlement_event(HOLDER, 7, 900, 3, index=1)
    entitlements.on_confirmed(late)
    entitlements.on_confirmed(early)
    assert expiries() == (300, 300)


def test_undoing_all_leaves_no_access() -> None:
    grant = entitlement_event(HOLDER, 7, LIFETIME, 1)
    entitlements.on_confirmed(grant)
    entitlements.on_reverted(grant)
    assert expiries() == (0, 0)


def test_holders_agents_and_networks_are_apart() -> None:
    entitlements.on_confirmed(entitlement_event(HOLDER, 7, 100, 1))
    entitlements.on_confirmed(entitlement_event(HOLDER, 8, 200, 1, index=1))
    entitlements.on_confirmed(entitlement_event("0x" + "55" * 20, 7, 300, 1, index=2))
    elsewhere = entitlement_event(HOLDER, 7, 400, 1, index=3)
    elsewhere.network = "base"
    entitlements.on_confirmed(elsewhere)
    assert sorted(Entitlement.objects.values_list("expires_at", flat=True)) == [100, 200, 300, 400]


def test_agent_id_nobody_knows_is_mirrored_without_harm() -> None:
    entitlements.on_confirmed(entitlement_event(HOLDER, 2**256 - 1, LIFETIME, 1))
    assert Entitlement.objects.get().onchain_agent_id == 2**256 - 1


LIVES = st.lists(st.sampled_from(["seen", "confirmed", "reverted"]), min_size=1, max_size=3)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, LIFETIME), LIVES), min_size=1, max_size=5),
    random=st.randoms(use_true_random=False),
)
@pytest.mark.slow
def test_any_order_with_reorgs_gives_what_the_last_words_give(
    changes: list[tuple[int, list[str]]], random: object, db: None
) -> None:
    Entitlement.objects.all().delete()
    tell = {"seen": entitlements.on_seen, "confirmed": entitlements.on_confirmed, "reverted": entitlements.on_reverted}
    events = [entitlement_event(HOLDER, 7, expires_at, block) for block, (expires_at, _) in enumerate(changes)]
    turns = [(number, word) for number, (_, life) in enumerate(changes) for word in life]
    order = [number for number, _ in turns]
    random.shuffle(order)  # type: ignore[attr-defined]
    words = {number: iter(life) for number, (_, life) in enumerate(changes)}
    for number in order:
        tell[next(words[number])](events[number])
    held = [(expires_at, life[-1]) for expires_at, life in changes if life[-1] != "reverted"]
    seen = held[-1][0] if held else 0
    confirmed = [expires_at for expires_at, word in held if word == "confirmed"]
    assert expiries() == (seen, min(seen, confirmed[-1] if confirmed else 0))


# --- has_access


def test_creator_always_may(agent: Agent, creator: User) -> None:
    assert has_access(creator, agent) == Access(allowed=True, expires_at=None, reason=Reason.CREATOR)


def test_anonymous_and_walletless_may_not(agent: Agent) -> None:
    assert has_access(AnonymousUser(), agent) == Access(allowed=False, expires_at=None, reason=Reason.ANONYMOUS)
    assert has_access(UserFactory.create(), agent) == Access(allowed=False, expires_at=None, reason=Reason.NO_WALLET)


def test_lifetime_has_no_end(agent: Agent, buyer: User) -> None:
    grant_access(buyer, agent)
    access = has_access(buyer, agent)
    assert access == Access(allowed=True, expires_at=None, reason=Reason.ENTITLEMENT)
    assert access.is_lifetime


def test_access_ends_at_its_second(agent: Agent, buyer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    grant_access(buyer, agent, 2_000_000_000)
    end = datetime.fromtimestamp(2_000_000_000, UTC)
    monkeypatch.setattr(time, "time", lambda: 1_999_999_999.9)
    assert has_access(buyer, agent) == Access(allowed=True, expires_at=end, reason=Reason.ENTITLEMENT)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    assert has_access(buyer, agent) == Access(allowed=False, expires_at=end, reason=Reason.EXPIRED)


def test_any_of_the_users_wallets_counts_and_the_longest_wins(agent: Agent, buyer: User) -> None:
    second = LinkedWalletFactory.create(user=buyer, is_primary=False)
    grant_access(buyer, agent, 1)
    EntitlementFactory.create(agent=agent, holder=second.address, expires_at=4_000_000_000)
    assert has_access(buyer, agent).expires_at == datetime.fromtimestamp(4_000_000_000, UTC)


def test_access_to_another_agent_network_or_of_another_holder_is_none(
    agent: Agent, buyer: User, stranger: User
) -> None:
    grant_access(buyer, PublishedAgentFactory.create())
    grant_access(stranger, agent)
    EntitlementFactory.create(agent=agent, network="base", holder=buyer.primary_address)
    assert has_access(buyer, agent) == Access(allowed=False, expires_at=None, reason=Reason.NONE)


def test_taken_back_access_is_none(agent: Agent, buyer: User) -> None:
    grant_access(buyer, agent, 0)
    assert has_access(buyer, agent).reason == Reason.NONE


def test_access_is_three_queries(agent: Agent, buyer: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    grant_access(buyer, agent)
    with django_assert_num_queries(3):
        has_access(buyer, agent)
