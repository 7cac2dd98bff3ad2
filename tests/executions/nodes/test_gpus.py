"""A version with GPUs from the moment it is added to the end of its run, through API and page."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from executions.models import Execution
from executions.nodes.reporting import Reporter
from executions.runners.docker.engine import Engine
from marketplace.models import Agent, AgentVersion
from tests.account_fixtures import ApiFor
from tests.executions.conftest import RunNow
from tests.executions.images import script
from tests.factories.executions import NodeFactory
from tests.factories.marketplace import PublishedAgentFactory

pytestmark = [pytest.mark.docker, pytest.mark.django_db]
ANY: dict[str, Any] = {"type": "object"}


@pytest.fixture
def agent(settings: Settings) -> Agent:
    settings.EXECUTION_MAX_GPUS = 1
    return PublishedAgentFactory.create(version=None)


def test_gpus_from_the_version_to_its_run(
    agent: Agent, api: ApiFor, client: Client, scripted: str, settings: Settings, run_now: RunNow
) -> None:
    # given a platform whose only machine has none
    plain = NodeFactory.create(name="plain")
    mine = api(agent.creator)
    versions = f"/api/v1/agents/{agent.slug}/versions"
    version = {"number": "1.0.0", "image": scripted, "input_schema": ANY, "output_schema": ANY, "gpus": 1}
    refused = mine.post(versions, version)
    assert refused.status_code == 422
    assert [(one["pointer"], one["message"]) for one in refused.json()["errors"]] == [
        ("/gpus", "No machine has GPUs at the moment: leave this empty, or ask the operator of this platform.")
    ]
    # when one is said to have some
    settings.EXECUTION_NODE, settings.EXECUTION_NODE_LABELS = "graphics", ["gpu"]
    Reporter(1, Engine(settings.DOCKER_HOST)).report()
    made = mine.post(versions, version)
    assert (made.status_code, made.json()["gpus"]) == (201, 1)
    AgentVersion.objects.update(verdict=AgentVersion.Verdict.ACCEPTED)
    asked = mine.post("/api/v1/executions", {"agent": agent.slug, "input": script("echo '{}'")}).json()
    # then its run waits for that one
    execution = Execution.objects.get(pk=asked["id"])
    assert (execution.needs, asked["obstacle"]) == (["gpu"], "")
    type(plain).objects.filter(pk="graphics").update(state="draining")
    sentence = "It waits for a machine with GPUs: none is in service now. You may cancel it."
    assert mine.get(f"/api/v1/executions/{execution.pk}").json()["obstacle"] == sentence
    client.force_login(agent.creator)
    assert sentence in client.get(f"/executions/{execution.pk}/").content.decode()
    # and where that machine has none after all, it says so
    while execution.status == "queued":
        run_now(execution)
    assert (execution.status, execution.reason) == ("failed", "infrastructure")
    assert execution.error == "This machine has no GPU for agents, which this version asks for."
