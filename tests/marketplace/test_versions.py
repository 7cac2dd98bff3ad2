"""Operations on versions."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from marketplace.catalogue.agents import add_version, withdraw_version
from marketplace.catalogue.models import Agent, AgentVersion
from marketplace.errors import InvalidTransitionError, InvalidVersionError, NotYoursError
from tests.factories.marketplace import (
    INPUT_SCHEMA,
    OUTPUT_SCHEMA,
    AgentFactory,
    AgentVersionFactory,
    image_of,
)
from wallets.models import User

VALUES: dict[str, Any] = {
    "number": "1.1.0",
    "image": image_of("next"),
    "input_schema": INPUT_SCHEMA,
    "output_schema": OUTPUT_SCHEMA,
    "example_input": {"text": "Hello"},
    "release_notes": "Faster.\r\nBetter.",
}


def test_added_version_is_live_with_exact_values(agent: Any, creator: User) -> None:
    version = add_version(agent, creator, **VALUES)
    stored = AgentVersion.objects.get(pk=version.pk)
    assert stored.status == "live"
    assert stored.number == "1.1.0"
    assert stored.image == VALUES["image"]
    assert stored.input_schema == INPUT_SCHEMA
    assert stored.output_schema == OUTPUT_SCHEMA
    assert stored.example_input == {"text": "Hello"}
    assert stored.release_notes == "Faster.\nBetter."
    assert agent.live_version == stored


@pytest.mark.parametrize("number", ["1.0.0", "0.9.9", "0.99.99"])
def test_number_must_rise(agent: Any, creator: User, number: Any) -> None:
    with pytest.raises(InvalidVersionError) as caught:
        add_version(agent, creator, **{**VALUES, "number": number})
    assert caught.value.fields == {"number": "Must be greater than 1.0.0."}


def test_withdrawn_number_is_never_used_again(agent: Any, creator: User) -> None:
    withdraw_version(add_version(agent, creator, **VALUES), creator)
    with pytest.raises(InvalidVersionError) as caught:
        add_version(agent, creator, **VALUES)
    assert caught.value.fields == {"number": "Must be greater than 1.1.0."}


def test_every_refused_value_is_named_by_its_pointer(agent: Any, creator: User) -> None:
    with pytest.raises(InvalidVersionError) as caught:
        add_version(
            agent,
            creator,
            number="two",
            image="agent:latest",
            input_schema={"type": "object", "properties": {"a": {"$ref": "https://evil.example/"}}},
            output_schema=[],  # type: ignore[arg-type]
            example_input={},
            release_notes="x" * 5_001,
        )
    assert caught.value.fields == {
        "number": "Enter three numbers with dots, for example 1.2.0.",
        "image": "Name the image by its digest, as in registry.example/you/agent@sha256:…; "
        "a tag can be moved to another image.",
        "release_notes": "Enter at most 5,000 characters; these are 5,001.",
        "/input_schema/properties/a/$ref": "References must lead to a place in this schema, such as #/$defs/row.",
        "/output_schema": "Enter a JSON Schema: a JSON object.",
    }


def test_example_must_satisfy_the_input_schema(agent: Any, creator: User) -> None:
    with pytest.raises(InvalidVersionError) as caught:
        add_version(agent, creator, **{**VALUES, "example_input": {"text": "", "more": 1}})
    assert caught.value.fields == {
        "/example_input/text": "This must have at least 1 character.",
        "/example_input/more": "There is no field of this name.",
    }


def test_example_that_cannot_be_stored_is_refused(agent: Any, creator: User) -> None:
    with pytest.raises(InvalidVersionError) as caught:
        add_version(agent, creator, **{**VALUES, "example_input": {"text": "a\x00b"}})
    assert caught.value.fields == {"/example_input": "The character U+0000 cannot be stored."}


def test_example_may_be_left_out(agent: Any, creator: User) -> None:
    assert add_version(agent, creator, **{**VALUES, "example_input": None}).example_input is None


@pytest.mark.parametrize("who", ["stranger", "staff"])
def test_only_the_creator_adds(agent: Any, who: Any, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotYoursError):
        add_version(agent, request.getfixturevalue(who), **VALUES)
    assert agent.versions.count() == 1


def test_withdrawing_the_newest_brings_the_one_before_back(agent: Any, creator: User) -> None:
    newest = add_version(agent, creator, **VALUES)
    assert agent.live_version == newest
    withdrawn = withdraw_version(newest, creator)
    assert withdrawn.status == "withdrawn"
    assert withdrawn.withdrawn_at is not None
    assert agent.live_version.number == "1.0.0"


def test_withdrawing_an_old_one_leaves_the_live_one(agent: Any, creator: User) -> None:
    old = agent.live_version
    newest = add_version(agent, creator, **VALUES)
    withdraw_version(old, creator)
    assert agent.live_version == newest


def test_withdrawing_the_last_one_leaves_the_agent_without(agent: Any, creator: User) -> None:
    withdraw_version(agent.live_version, creator)
    assert agent.live_version is None


def test_version_is_withdrawn_once(agent: Any, creator: User) -> None:
    version = agent.live_version
    withdraw_version(version, creator)
    with pytest.raises(InvalidTransitionError, match="You cannot withdraw this version: it is withdrawn"):
        withdraw_version(version, creator)


def test_staff_may_withdraw_and_strangers_not(agent: Any, staff: User, stranger: User) -> None:
    version = agent.live_version
    with pytest.raises(NotYoursError):
        withdraw_version(version, stranger)
    assert withdraw_version(version, staff).status == "withdrawn"


def test_live_version_costs_no_query_after_prefetch(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    agents = [AgentFactory.create() for _ in range(5)]
    for agent in agents:
        for number in ("1.9.0", "1.10.0"):
            AgentVersionFactory.create(agent=agent, number=number)
        AgentVersionFactory.create(agent=agent, number="2.0.0", status="withdrawn")
    without = AgentFactory.create()
    with django_assert_num_queries(2):
        read = list(Agent.objects.with_live_version().order_by("id"))
        numbers = [agent.live_version.number if agent.live_version else None for agent in read]
    assert numbers == ["1.10.0"] * 5 + [None]
    assert read[-1] == without


@pytest.mark.django_db(transaction=True)
def test_parallel_versions_never_share_a_number() -> None:
    agent = AgentFactory.create()

    def add(_: Any) -> Any:
        try:
            return add_version(agent, agent.creator, **VALUES).number
        except InvalidVersionError as exc:
            return exc.fields["number"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(add, range(12)))
    assert answers.count("1.1.0") == 1
    assert answers.count("Must be greater than 1.1.0.") == 11
    assert agent.versions.count() == 1


def test_a_repository_belongs_to_who_published_from_it_first(agent: Any, creator: User) -> None:
    """Digests are public and a node keeps all images together: naming another's image would be enough to sell it."""
    image = "registry.example/{}/agent@sha256:" + "a" * 64
    values: dict[str, Any] = {
        "number": "2.0.0",
        "input_schema": {"type": "object"},
        "output_schema": {"type": "object"},
    }
    add_version(agent, creator, image=image.format("first"), **values)
    own = AgentFactory.create(creator=creator)
    add_version(own, creator, image=image.format("first"), **values)  # the same creator's other agent
    other = AgentFactory.create()
    for stolen in (image.format("first"), image.format("first").replace("registry", "Registry").replace("aa", "bb")):
        with pytest.raises(InvalidVersionError) as raised:
            add_version(other, other.creator, image=stolen, **values)
        assert raised.value.fields == {
            "image": "Another creator publishes from this repository. Push the image to a repository of your own."
        }
    add_version(other, other.creator, image=image.format("firsts"), **values)
