"""What a version may ask of the machine, from the form and the API to the figures of a run."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from executions import limits
from marketplace.catalogue.demands import clean_demands, share_of
from marketplace.models import Agent, AgentVersion
from tests.factories.executions import NodeFactory
from tests.factories.marketplace import AgentFactory, AgentVersionFactory, PublishedAgentFactory

IMAGE = "registry.example/you/agent@sha256:" + "a" * 64
VERSION = {"number": "1.0.0", "image": IMAGE, "input_schema": {"type": "object"}, "output_schema": {"type": "object"}}
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"memory_bytes": 15 * MIB}, {"memory_bytes": "Between 16 and 2,048 MiB."}),
        ({"memory_bytes": 2049 * MIB}, {"memory_bytes": "Between 16 and 2,048 MiB."}),
        ({"memory_bytes": "many"}, {"memory_bytes": "Enter a whole number."}),
        ({"memory_bytes": True}, {"memory_bytes": "Enter a whole number."}),
        ({"cpus": "0.05"}, {"cpus": "Between 0.1 and 2 cores."}),
        ({"cpus": "2.1"}, {"cpus": "Between 0.1 and 2 cores."}),
        ({"cpus": "NaN"}, {"cpus": "Enter a number of cores, such as 0.5."}),
        ({"cpus": "1e99999"}, {"cpus": "Enter a number of cores, such as 0.5."}),
        ({"timeout_seconds": 0}, {"timeout_seconds": "Between 1 and 1,800 seconds."}),
        ({"timeout_seconds": 1801}, {"timeout_seconds": "Between 1 and 1,800 seconds."}),
        ({"gpus": 1}, {"gpus": "This platform has no machines with GPUs."}),
        ({"runtime": "runsc"}, {"runtime": "This platform has one runtime only: leave this empty."}),
    ],
)
def test_refused(asked: dict[str, Any], problem: dict[str, str]) -> None:
    assert clean_demands(**asked)[1] == problem


@pytest.mark.django_db
def test_what_the_platform_offers_can_be_asked_for(settings: Settings) -> None:
    settings.EXECUTION_MAX_GPUS = 2
    settings.EXECUTION_RUNTIMES = ["runsc"]
    demands, problems = clean_demands(gpus=2, runtime="runsc", cpus="1.5", memory_bytes=1024 * MIB, timeout_seconds=900)
    assert problems == {}
    assert (demands.gpus, demands.runtime, demands.nano_cpus) == (2, "runsc", 1_500_000_000)
    assert clean_demands(gpus=3)[1] == {"gpus": "At most 2."}
    assert clean_demands(runtime="kata")[1] == {"runtime": "This platform offers runsc."}


@pytest.mark.django_db
def test_what_no_machine_has_is_refused(settings: Settings) -> None:
    settings.EXECUTION_MAX_GPUS = 2
    settings.EXECUTION_RUNTIMES = ["runsc"]
    asked = {"gpus": 1, "runtime": "runsc", "memory_bytes": 1500 * MIB}
    NodeFactory.create(labels=[])
    assert clean_demands(**asked)[1] == {
        "memory_bytes": "The largest machine has 1,024 MiB for agents.",
        "gpus": "No machine has GPUs at the moment: leave this empty, or ask the operator of this platform.",
        "runtime": "No machine has gVisor at the moment: leave this empty, or ask the operator of this platform.",
    }
    # each of several machines has a part, but none has all
    NodeFactory.create(labels=["gpu"], memory_bytes=2048 * MIB)
    NodeFactory.create(labels=["runsc", "runsc+gpu"])
    assert clean_demands(**asked)[1] == {
        "runtime": "No single machine has all that this version asks for: ask for less."
    }
    # one that was heard of lately will do
    labels = ["gpu", "runsc", "runsc+gpu"]
    heard = timezone.now() - timedelta(hours=2)
    whole = NodeFactory.create(labels=labels, memory_bytes=2048 * MIB, last_seen_at=heard)
    assert clean_demands(**asked)[1] == {}
    type(whole).objects.filter(pk=whole.pk).update(last_seen_at=timezone.now() - timedelta(days=2))
    assert set(clean_demands(**asked)[1]) == {"runtime"}
    assert clean_demands()[1] == {}


@pytest.mark.django_db
def test_what_a_runtime_cannot_give_is_refused(settings: Settings) -> None:
    settings.EXECUTION_MAX_GPUS = 2
    settings.EXECUTION_RUNTIMES = ["runsc"]
    NodeFactory.create(labels=["gpu", "runsc"])
    hosts = ["api.example.com:443"]
    no_network = (
        "No machine gives agents a network under gVisor: leave this empty, or ask the operator of this platform."
    )
    no_gpus = "No machine gives agents GPUs under gVisor: leave this empty, or ask the operator of this platform."
    assert clean_demands(runtime="runsc", hosts=hosts)[1] == {"hosts": no_network}
    assert clean_demands(runtime="runsc", gpus=1)[1] == {"gpus": no_gpus}
    assert clean_demands(hosts=hosts, gpus=1)[1] == {}
    # the same where everything is run under it
    settings.EXECUTION_RUNTIME = "runsc"
    assert clean_demands(hosts=hosts)[1] == {"hosts": no_network}
    # a version that asks for nothing is not to blame when no machine has what the platform prescribes
    settings.EXECUTION_RUNTIME = "kata"
    assert clean_demands()[1] == {}


@pytest.mark.django_db
def test_people_choose_a_runtime_by_its_name(client: Client, settings: Settings) -> None:
    settings.EXECUTION_RUNTIMES = ["runsc"]
    NodeFactory.create(labels=["runsc"])
    agent: Agent = AgentFactory.create()
    client.force_login(agent.creator)
    page = client.get(f"/agents/{agent.slug}/versions/new/").content.decode()
    assert '<option value="runsc">gVisor</option>' in page
    assert "Under gVisor an agent has no network here: it cannot have hosts." in page
    schema = '{"type": "object"}'
    form = {"number": "1.0.0", "image": IMAGE, "input_schema": schema, "output_schema": schema, "runtime": "runsc"}
    refused = client.post(f"/agents/{agent.slug}/versions/new/", form | {"hosts": "api.example.com:443"})
    assert "No machine gives agents a network under gVisor" in refused.content.decode()
    assert client.post(f"/agents/{agent.slug}/versions/new/", form).status_code == 302
    AgentVersion.objects.filter(agent=agent).update(verdict=AgentVersion.Verdict.ACCEPTED)
    assert re.search(r"<dt>Runs in</dt>\s*<dd>\s*gVisor\s*</dd>", client.get(f"/agents/{agent.slug}/").content.decode())


def test_a_maximum_lowered_later_counts(settings: Settings) -> None:
    version = AgentVersion(memory_bytes=2048 * MIB, nano_cpus=2_000_000_000, timeout_seconds=1800)
    settings.EXECUTION_MAX_MEMORY_BYTES = 768 * MIB
    settings.EXECUTION_MAX_TIMEOUT_SECONDS = 600
    share = share_of(version)
    assert (share.memory_bytes, share.cpus, share.timeout_seconds) == (768 * MIB, "2", 600)
    run = limits.for_version(version)
    assert (run.memory, run.nano_cpus, run.timeout) == (768 * MIB, 2_000_000_000, 600)


@pytest.mark.django_db
def test_api_takes_and_shows_them(api: Any) -> None:
    agent: Agent = AgentFactory.create()
    body = VERSION | {"cpus": "1", "memory_bytes": 1024 * MIB, "timeout_seconds": 60, "hosts": ["api.example.com:443"]}
    made = api(agent.creator).post(f"/api/v1/agents/{agent.slug}/versions", body)
    assert made.status_code == 201, made.json()
    shown = made.json()
    assert shown["limits"] == {"memory_bytes": 1024 * MIB, "cpus": "1", "timeout_seconds": 60}
    assert shown["hosts"] == ["api.example.com:443"]
    assert (shown["runtime"], shown["runs_in"]) == ("", "A container")
    refused = api(agent.creator).post(
        f"/api/v1/agents/{agent.slug}/versions", body | {"number": "1.0.1", "hosts": ["10.0.0.1:443"], "cpus": "9"}
    )
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/hosts", "/cpus"}


@pytest.mark.django_db
def test_buyers_see_them_before_they_pay(client: Client, user: Any) -> None:
    version: AgentVersion = AgentVersionFactory.create(
        agent=PublishedAgentFactory.create(), number="9.0.0", memory_bytes=1536 * MIB, hosts=["api.example.com:443"]
    )
    client.force_login(user)
    for page in (f"/agents/{version.agent.slug}/", f"/agents/{version.agent.slug}/buy/"):
        text = client.get(page).content.decode()
        assert "api.example.com:443" in text
        assert "1.5 GB" in text


@pytest.mark.django_db
def test_form_keeps_what_was_typed_and_names_what_is_wrong(client: Client) -> None:
    agent: Agent = AgentFactory.create()
    client.force_login(agent.creator)
    form = {
        "number": "1.0.0",
        "image": IMAGE,
        "input_schema": '{"type": "object"}',
        "output_schema": '{"type": "object"}',
        "memory": "4096",
        "cpus": "1",
        "timeout_seconds": "",
        "hosts": "api.example.com:443\n*.co.uk:443",
    }
    refused = client.post(f"/agents/{agent.slug}/versions/new/", form)
    assert refused.status_code == 422
    text = refused.content.decode()
    assert "Between 16 and 2,048 MiB." in text
    assert "*.co.uk:443: this is too wide" in text
    done = client.post(f"/agents/{agent.slug}/versions/new/", form | {"memory": "1024", "hosts": "api.example.com:443"})
    assert done.status_code == 302
    made = agent.versions.get()
    assert (made.memory_bytes, made.nano_cpus, made.timeout_seconds) == (1024 * MIB, 1_000_000_000, None)
    assert made.hosts == ["api.example.com:443"]
    again = client.get(f"/agents/{agent.slug}/versions/new/").content.decode()
    assert 'value="1024"' in again
    assert "api.example.com:443</textarea>" in again
