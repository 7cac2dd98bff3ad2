"""Until a machine has accepted its image, nobody buys or runs a version; the one before it serves."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.catalogue import verdicts
from marketplace.catalogue.agents import add_version, publish, withdraw_version
from marketplace.errors import InvalidTransitionError, NotForSaleError, NotPublishableError, NotYoursError
from marketplace.models import Agent, AgentVersion
from marketplace.purchases.quotes import quote
from tests.account_fixtures import ApiFor
from tests.factories.marketplace import INPUT_SCHEMA, OUTPUT_SCHEMA, PublishedAgentFactory, image_of
from wallets.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.unchecked]
Verdict = AgentVersion.Verdict


def add(agent: Agent, number: str = "2.0.0") -> AgentVersion:
    return add_version(
        agent,
        agent.creator,
        number=number,
        image=image_of(f"{agent.pk} {number}"),
        input_schema=INPUT_SCHEMA,
        output_schema=OUTPUT_SCHEMA,
    )


def claimed(version: AgentVersion) -> AgentVersion:
    """The claim of the only version that waits."""
    found = verdicts.claim_next()
    assert found == version
    return found


def test_the_version_before_serves_until_the_new_one_is_accepted(agent: Agent) -> None:
    before = agent.live_version
    added = add(agent)
    assert (added.verdict, agent.live_version) == ("pending", before)

    assert verdicts.accept(claimed(added))

    assert agent.live_version == added
    assert verdicts.waiting() is False


def test_a_claim_is_one_persons_and_a_late_verdict_counts_for_nothing(agent: Agent) -> None:
    added = add(agent)
    slow = claimed(added)
    assert verdicts.claim_next() is None
    AgentVersion.objects.filter(pk=added.pk).update(check_at=timezone.now() - timedelta(seconds=1))
    quick = claimed(added)

    assert (verdicts.refuse(slow, "Late."), verdicts.accept(quick)) == (False, True)

    added.refresh_from_db()
    assert (added.verdict, added.verdict_reason) == ("accepted", "")


def test_a_refusal_is_said_and_can_be_asked_again(agent: Agent, stranger: User) -> None:
    added = add(agent)
    verdicts.refuse(claimed(added), "The image has more than 100 layers.")

    with pytest.raises(NotYoursError):
        verdicts.ask_again(added, stranger)
    again = verdicts.ask_again(added, agent.creator)
    assert (again.verdict, again.verdict_reason, verdicts.waiting()) == ("pending", "", True)
    with pytest.raises(InvalidTransitionError):
        verdicts.ask_again(added, agent.creator)


def test_what_cannot_be_looked_at_is_tried_with_growing_pauses_for_days(agent: Agent) -> None:
    added = add(agent)
    pauses = []
    for _ in range(9):
        verdicts.postpone(claimed(added), "The registry does not answer.")
        added.refresh_from_db()
        assert added.check_at is not None
        pauses.append(round((added.check_at - timezone.now()).total_seconds(), -1))
        AgentVersion.objects.filter(pk=added.pk).update(check_at=timezone.now())
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 900, 900]

    AgentVersion.objects.filter(pk=added.pk).update(created_at=timezone.now() - timedelta(days=3))
    verdicts.postpone(claimed(added), "The registry does not answer.")
    added.refresh_from_db()
    assert (added.verdict, added.verdict_reason) == (
        "refused",
        "The registry does not answer. This was tried for 2 days.",
    )


def test_a_withdrawn_version_is_not_looked_at(agent: Agent) -> None:
    withdraw_version(add(agent), agent.creator)
    assert (verdicts.waiting(), verdicts.claim_next()) == (False, None)


def test_nobody_buys_what_was_not_accepted(buyer: User) -> None:
    agent = PublishedAgentFactory.create(version=None)
    add(agent)
    with pytest.raises(NotForSaleError):
        quote(buyer, agent, "ETH")


def test_a_refused_first_version_keeps_an_agent_from_being_published(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(status="draft")
    agent.versions.all().delete()
    verdicts.refuse(claimed(add(agent)), "The image says no command to run: set ENTRYPOINT or CMD.")
    with pytest.raises(NotPublishableError) as refused:
        publish(Agent.objects.get(pk=agent.pk), agent.creator)
    assert refused.value.fields == {
        "versions": "Version 2.0.0 was refused: The image says no command to run: set ENTRYPOINT or CMD. "
        "Add another version."
    }


def test_the_creator_sees_it_everywhere(agent: Agent, client: Client) -> None:
    client.force_login(agent.creator)
    add(agent)
    page = client.get(f"/agents/{agent.slug}/").content.decode()
    assert ("Being checked" in page, "version 1.0.0 serves" in page, "data-checking" in page) == (True, True, True)
    assert "2.0.0 is being checked" in client.get("/studio/").content.decode()

    verdicts.refuse(verdicts.claim_next() or pytest.fail("none waits"), "It is too large.")
    page = client.get(f"/agents/{agent.slug}/").content.decode()
    assert ("It is too large." in page, "Check again" in page, "data-checking" in page) == (True, True, False)
    assert "2.0.0 was refused" in client.get("/studio/").content.decode()
    client.post(f"/agents/{agent.slug}/versions/2.0.0/check/")
    assert verdicts.waiting() is True


def test_the_api_tells_the_verdict(agent: Agent, api: ApiFor) -> None:
    as_creator = api(agent.creator)
    added = add(agent)
    verdicts.refuse(claimed(added), "It is too large.")

    def newest() -> Any:
        return as_creator.get(f"/api/v1/agents/{agent.slug}/versions").json()["results"][0]

    assert (newest()["verdict"], newest()["verdict_reason"]) == ("refused", "It is too large.")
    answer = as_creator.post(f"/api/v1/agents/{agent.slug}/versions/2.0.0/check")
    assert (answer.status_code, answer.json()["verdict"]) == (200, "pending")
    assert as_creator.post(f"/api/v1/agents/{agent.slug}/versions/2.0.0/check").status_code == 409
