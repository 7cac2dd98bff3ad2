"""The sample agents of this repository are accepted as they are."""

import json
from pathlib import Path

import pytest

from chain.networks import default_network
from marketplace.catalogue.samples import Sample, creator_of_samples, seed
from marketplace.management.commands.seed_agents import LOCAL_CREATOR
from tests.factories.marketplace import CategoryFactory

MANIFESTS = sorted((Path(__file__).resolve().parents[2] / "deploy" / "agents").glob("*/agent.json"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_sample_is_accepted(path: Path) -> None:
    manifest = json.loads(path.read_text())
    CategoryFactory.create(slug=manifest["category"])
    image = f"agentnexus/{manifest['slug']}@sha256:{'a' * 64}"
    (seeded,) = seed(creator_of_samples(LOCAL_CREATOR), [Sample(manifest["slug"], image, manifest)], default_network())
    assert seeded.agent.status == "published"
    version = seeded.agent.live_version
    assert version is not None
    assert version.number == manifest["number"]
    assert version.input_schema == manifest["input_schema"]
    assert list(version.input_schema["properties"]) == list(manifest["input_schema"]["properties"])
