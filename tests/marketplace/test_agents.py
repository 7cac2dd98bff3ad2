"""Operations on agents."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from marketplace.catalogue import agents
from marketplace.catalogue.models import Agent
from marketplace.catalogue.states import AGENT_TRANSITIONS, AgentAction
from marketplace.errors import InvalidAgentError, InvalidTransitionError, NotPublishableError, NotYoursError
from tests.factories.marketplace import (
    NATIVE,
    AgentFactory,
    AgentPriceFactory,
    AgentVersionFactory,
    CategoryFactory,
    CreatorFactory,
    PublishedAgentFactory,
)
from tests.factories.wallets import LinkedWalletFactory, StaffFactory, UserFactory
from wallets.models import User

VALUES: dict[str, Any] = {
    "name": "Text Summariser",
    "tagline": "Turns long texts into short ones.",
    "description": "Reads a **text**.",
    "category": "writing",
}


@pytest.fixture(autouse=True)
def _category(db: None) -> None:
    CategoryFactory.create(slug="writing")


def test_create_makes_a_draft_with_exact_values(creator: User) -> None:
    agent = agents.create_agent(creator, **VALUES, access_duration=2_592_000, prices={"ETH": 2 * 10**15})
    stored = Agent.objects.get()
    assert stored == agent
    assert stored.slug == "text-summariser"
    assert stored.status == "draft"
    assert stored.network == "local"
    assert stored.category_id == "writing"
    assert stored.access_duration == 2_592_000
    assert stored.published_at is None
    assert stored.onchain_id >= 1
    assert list(stored.prices.values_list("token", "amount")) == [(NATIVE, 2 * 10**15)]


def test_second_agent_of_a_name_gets_the_next_slug(creator: User) -> None:
    slugs = [agents.create_agent(creator, **VALUES).slug for _ in range(3)]
    assert slugs == ["text-summariser", "text-summariser-2", "text-summariser-3"]


def test_every_refused_value_is_named(creator: User) -> None:
    with pytest.raises(InvalidAgentError) as caught:
        agents.create_agent(
            creator,
            name="ab",
            tagline="",
            description="x" * 20_001,
            category="nothing",
            access_duration=-1,
            prices={"ETH": 0, "DOGE": 5, "0x" + "00" * 20: 2**88},
        )
    assert caught.value.code == "invalid_agent"
    assert caught.value.fields == {
        "name": "Enter at least 3 characters.",
        "tagline": "This is required.",
        "description": "Enter at most 20,000 characters; these are 20,001.",
        "category": "Choose one of the categories.",
        "access_duration": "Enter a whole number of seconds; 0 is for ever.",
        "/prices/ETH": "The price must be more than zero.",
        "/prices/DOGE": "Local chain does not know this token.",
        "/prices/0x" + "00" * 20: "The price is larger than the escrow can hold.",
    }
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        (-1, "The price must be more than zero."),
        (1.5, "Enter a whole number of base units."),
        ("1", "Enter a whole number of base units."),
        (True, "Enter a whole number of base units."),
        (None, "Enter a whole number of base units."),
        (2**256, "The price is larger than the escrow can hold."),
    ],
)
def test_price_must_be_a_positive_whole_number(creator: User, amount: Any, sentence: Any) -> None:
    with pytest.raises(InvalidAgentError) as caught:
        agents.create_agent(creator, **VALUES, prices={"ETH": amount})
    assert caught.value.fields == {"/prices/ETH": sentence}


def test_one_token_named_twice_is_refused(creator: User) -> None:
    with pytest.raises(InvalidAgentError) as caught:
        agents.create_agent(creator, **VALUES, prices={"ETH": 1, NATIVE: 2})
    assert caught.value.fields == {f"/prices/{NATIVE}": "ETH has two prices."}


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (60, "Access must last at least an hour, or for ever (0)."),
        (2**64, "Access may last at most a hundred years; use 0 for ever."),
        (True, "Enter a whole number of seconds; 0 is for ever."),
    ],
)
def test_access_duration_is_bounded(creator: User, seconds: Any, sentence: Any) -> None:
    with pytest.raises(InvalidAgentError) as caught:
        agents.create_agent(creator, **VALUES, access_duration=seconds)
    assert caught.value.fields == {"access_duration": sentence}


def test_update_changes_what_is_given_and_keeps_the_slug(agent: Agent, creator: User) -> None:
    AgentPriceFactory.create(agent=agent, token="0x" + "11" * 20, amount=5)
    agents.update_agent(agent, creator, name="Better name", prices={"ETH": 7})
    agent.refresh_from_db()
    assert (agent.name, agent.slug, agent.tagline) == (
        "Better name",
        "text-summariser",
        "Does one thing and does it well.",
    )
    assert list(agent.prices.values_list("token", "amount")) == [(NATIVE, 7)]


def test_update_without_prices_leaves_them(agent: Agent, creator: User) -> None:
    agents.update_agent(agent, creator, tagline="Another tagline.")
    assert list(agent.prices.values_list("amount", flat=True)) == [10**16]


def test_update_of_another_field_is_refused(agent: Agent, creator: User) -> None:
    with pytest.raises(InvalidAgentError) as caught:
        agents.update_agent(agent, creator, onchain_id=1, status="published")
    assert caught.value.fields == {"onchain_id": "This cannot be set.", "status": "This cannot be set."}


def test_published_agent_keeps_a_price(agent: Agent, creator: User) -> None:
    with pytest.raises(InvalidAgentError) as caught:
        agents.update_agent(agent, creator, prices={})
    assert caught.value.fields == {"prices": "Keep a price in at least one token."}
    assert agent.prices.count() == 1


@pytest.mark.parametrize(
    "operation",
    [
        lambda agent, by: agents.update_agent(agent, by, name="Mine now"),
        agents.publish,
        agents.archive,
        agents.suspend,
        agents.restore,
    ],
)
def test_stranger_may_do_nothing(agent: Agent, stranger: User, operation: Any) -> None:
    with pytest.raises(NotYoursError):
        operation(agent, stranger)
    agent.refresh_from_db()
    assert (agent.name, agent.status) == ("Text Summariser", "published")


def test_staff_moderate_but_do_not_edit(agent: Agent, staff: User) -> None:
    with pytest.raises(NotYoursError):
        agents.update_agent(agent, staff, name="Edited")
    assert agents.suspend(agent, staff).status == "suspended"
    assert agents.restore(agent, staff).status == "published"


def test_publish_says_all_that_is_missing() -> None:
    creator = UserFactory.create()
    draft = AgentFactory.create(creator=creator)
    with pytest.raises(NotPublishableError) as caught:
        agents.publish(draft, creator)
    assert caught.value.fields == {
        "versions": "Add a version first.",
        "prices": "Set a price in at least one token.",
        "creator": "Link a wallet, so that you can be paid.",
    }


def test_withdrawn_version_does_not_make_an_agent_publishable() -> None:
    draft = AgentFactory.create()
    AgentPriceFactory.create(agent=draft)
    AgentVersionFactory.create(agent=draft, status="withdrawn")
    with pytest.raises(NotPublishableError) as caught:
        agents.publish(draft, draft.creator)
    assert caught.value.fields == {"versions": "Add a version first."}


def test_first_publication_time_is_kept() -> None:
    draft = AgentFactory.create()
    AgentPriceFactory.create(agent=draft)
    AgentVersionFactory.create(agent=draft)
    first = agents.publish(draft, draft.creator).published_at
    assert first is not None
    agents.archive(draft, draft.creator)
    assert agents.publish(draft, draft.creator).published_at == first


OPERATIONS = {
    AgentAction.PUBLISH: agents.publish,
    AgentAction.ARCHIVE: agents.archive,
    AgentAction.SUSPEND: agents.suspend,
    AgentAction.RESTORE: agents.restore,
}


@pytest.mark.parametrize("action", list(AgentAction))
@pytest.mark.parametrize("status", list(Agent.Status))
def test_every_transition_is_the_tables(status: Any, action: Any) -> None:
    creator = StaffFactory.create()
    agent = PublishedAgentFactory.create(
        creator=CreatorFactory.create() if action in ("suspend", "restore") else creator, status=status
    )
    if action not in ("suspend", "restore"):
        LinkedWalletFactory.create(user=creator)
    expected = AGENT_TRANSITIONS.get((status, action))
    if expected:
        assert OPERATIONS[action](agent, creator).status == expected
    else:
        with pytest.raises(InvalidTransitionError) as caught:
            OPERATIONS[action](agent, creator)
        assert caught.value.message == f"You cannot {action} this agent: it is {status}."
    agent.refresh_from_db()
    assert agent.status == (expected or status)


def test_creator_cannot_leave_a_suspension(agent: Agent, creator: User, staff: User) -> None:
    agents.suspend(agent, staff)
    for operation in (agents.archive, agents.publish):
        with pytest.raises(InvalidTransitionError):
            operation(agent, creator)
    agent.refresh_from_db()
    assert agent.status == "suspended"


@pytest.mark.django_db(transaction=True)
def test_parallel_creation_gives_different_slugs_and_ids() -> None:
    CategoryFactory.create(slug="writing")
    creator = CreatorFactory.create()

    def create(_: Any) -> Any:
        try:
            agent = agents.create_agent(creator, **VALUES)
            return agent.slug, agent.onchain_id
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(16)))
    assert len({slug for slug, _ in made}) == 16
    assert len({onchain_id for _, onchain_id in made}) == 16
    assert "text-summariser" in {slug for slug, _ in made}
