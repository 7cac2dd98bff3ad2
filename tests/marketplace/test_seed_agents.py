"""`manage.py seed_agents`."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from eth_account import Account

from marketplace.management.commands.seed_agents import LOCAL_CREATOR
from marketplace.models import Agent, AgentVersion
from tests.factories.marketplace import INPUT_SCHEMA, NATIVE, OUTPUT_SCHEMA, CategoryFactory, PublishedAgentFactory
from wallets.models import LinkedWallet, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _category(db: None) -> None:
    CategoryFactory.create(slug="writing")


def built(digit: str = "a", **changes: Any) -> dict[str, Any]:
    manifest = {
        "slug": "digest",
        "name": "Text Digest",
        "tagline": "A long text in one page.",
        "description": "Says what **your text** says.\n",
        "category": "writing",
        "number": "1.0.0",
        "prices": {"ETH": "0.002", "USDC": "5"},
        "access_duration": 2_592_000,
        "input_schema": INPUT_SCHEMA,
        "output_schema": OUTPUT_SCHEMA,
        "example_input": {"text": "Hello."},
    }
    return {"slug": "digest", "image": f"agentnexus/digest@sha256:{digit * 64}", "manifest": manifest | changes}


def seed(tmp_path: Path, *documents: Any, **options: Any) -> str:
    file = tmp_path / "built.json"
    file.write_text(json.dumps(list(documents)))
    out = StringIO()
    call_command("seed_agents", file=file, stdout=out, **options)
    return " ".join(out.getvalue().split())


def test_sample_is_registered_published_and_paid_to_the_local_creator(tmp_path: Path, usdc: str) -> None:
    assert seed(tmp_path, built()) == "digest created, version 1.0.0, published"
    agent = Agent.objects.get()
    assert (agent.slug, agent.name, agent.status, agent.network) == ("digest", "Text Digest", "published", "local")
    assert agent.access_duration == 2_592_000
    assert agent.creator.primary_address == LOCAL_CREATOR
    assert agent.creator.shown_name == "AgentNexus Samples"
    assert dict(agent.prices.values_list("token", "amount")) == {NATIVE: 2 * 10**15, usdc: 5_000_000}
    version = agent.live_version
    assert version is not None
    assert (version.number, version.image) == ("1.0.0", f"agentnexus/digest@sha256:{'a' * 64}")
    assert list(version.input_schema) == list(INPUT_SCHEMA)


def test_second_run_changes_nothing(tmp_path: Path, usdc: str) -> None:
    seed(tmp_path, built())
    before = list(Agent.objects.values())
    assert seed(tmp_path, built()) == "digest up to date"
    assert list(Agent.objects.values()) == before
    assert (AgentVersion.objects.count(), User.objects.count(), LinkedWallet.objects.count()) == (1, 1, 1)


def test_new_image_makes_a_new_patch_version(tmp_path: Path) -> None:
    seed(tmp_path, built())
    assert seed(tmp_path, built("b")) == "digest version 1.0.1"
    assert seed(tmp_path, built("c", number="1.1.0")) == "digest version 1.1.0"
    assert Agent.objects.get().live_version.image == f"agentnexus/digest@sha256:{'c' * 64}"  # type: ignore[union-attr]


def test_changed_words_and_prices_are_taken_over(tmp_path: Path) -> None:
    seed(tmp_path, built())
    assert seed(tmp_path, built(tagline="Another tagline.", prices={"ETH": "0.003"})) == "digest changed"
    agent = Agent.objects.get()
    assert agent.tagline == "Another tagline."
    assert list(agent.prices.values_list("amount", flat=True)) == [3 * 10**15]


def test_suspended_sample_stays_suspended(tmp_path: Path) -> None:
    seed(tmp_path, built())
    Agent.objects.update(status="suspended")
    assert seed(tmp_path, built()) == "digest up to date"
    assert Agent.objects.get().status == "suspended"


def test_creator_may_be_named(tmp_path: Path) -> None:
    address = Account.create().address
    seed(tmp_path, built(), creator=address)
    assert Agent.objects.get().creator.addresses() == [address]


def test_creator_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = Account.create().address
    monkeypatch.setenv("SEED_CREATOR_ADDRESS", address)
    seed(tmp_path, built())
    assert Agent.objects.get().creator.addresses() == [address]


@pytest.fixture
def real_network(settings: LazySettings) -> None:
    settings.NETWORKS = settings.NETWORKS | {"base": {**settings.NETWORKS["base"], "rpc_urls": ["http://127.0.0.1:1"]}}
    settings.DEFAULT_NETWORK = "base"


def test_network_that_is_not_local_is_refused(tmp_path: Path, real_network: None) -> None:
    with pytest.raises(CommandError, match="Base is not a local chain"):
        seed(tmp_path, built())
    with pytest.raises(CommandError, match="Say with --creator"):
        seed(tmp_path, built(), force=True)
    with pytest.raises(CommandError, match="Everybody has the key"):
        seed(tmp_path, built(), force=True, creator=LOCAL_CREATOR)
    assert not Agent.objects.exists()
    assert seed(tmp_path, built(), force=True, creator=Account.create().address).startswith("digest created")


def test_refused_manifest_says_where_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        seed(tmp_path, built(input_schema={"type": "array"}))
    assert str(caught.value) == (
        "A sample was refused: Some values of the version are not valid.\n"
        '  /input_schema/type: The top level must have "type": "object".'
    )
    assert not Agent.objects.exists()


def test_amount_with_too_many_decimals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="/prices/ETH: ETH has 18 decimals"):
        seed(tmp_path, built(prices={"ETH": "0.0000000000000000001"}))


def test_slug_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    taken = PublishedAgentFactory.create(slug="digest", name="Mine")
    with pytest.raises(CommandError, match="Only the agent's creator may do this"):
        seed(tmp_path, built())
    taken.refresh_from_db()
    assert taken.name == "Mine"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"slug": "x"}]', "not json"])
def test_other_file_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "built.json"
    file.write_text(text)
    with pytest.raises(CommandError, match="cannot be read as built agents"):
        call_command("seed_agents", file=file)


def test_missing_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read as built agents"):
        call_command("seed_agents", file=tmp_path / "none.json")
