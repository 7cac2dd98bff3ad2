"""What the tables guarantee by themselves."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection

from marketplace.models import Agent, AgentPrice, AgentVersion, Category
from tests.factories.marketplace import AgentFactory, AgentPriceFactory, AgentVersionFactory

pytestmark = pytest.mark.django_db


def test_fresh_installation_has_categories_in_order() -> None:
    Category.objects.all().delete()
    migration = import_module("marketplace.migrations.0002_categories")
    migration.add(apps, None)
    migration.add(apps, None)
    assert list(Category.objects.values_list("slug", flat=True)) == [
        "writing",
        "data",
        "code",
        "security",
        "research",
        "documents",
        "finance",
        "productivity",
    ]


def test_onchain_ids_come_from_the_sequence_and_rise_by_one() -> None:
    first, second = AgentFactory.create(), AgentFactory.create()
    assert second.onchain_id == first.onchain_id + 1


def test_onchain_id_of_a_new_sequence_is_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT start_value, increment_by, cycle FROM pg_sequences WHERE sequencename = %s",
            ["marketplace_agent_onchain_id"],
        )
        assert cursor.fetchone() == (1, 1, False)


def test_price_of_zero_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="agent_price_positive"):
        AgentPriceFactory.create(amount=0)


def test_second_price_in_the_same_token_is_refused_by_the_database() -> None:
    price = AgentPriceFactory.create()
    with pytest.raises(IntegrityError, match="one_price_per_token"):
        AgentPriceFactory.create(agent=price.agent)


def test_largest_price_is_kept_exactly() -> None:
    price = AgentPriceFactory.create(amount=2**256 - 1)
    assert AgentPrice.objects.get(pk=price.pk).amount == 2**256 - 1


def test_published_agent_without_its_time_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="published_agent_has_its_time"):
        AgentFactory.create(status=Agent.Status.PUBLISHED, published_at=None)


def test_versions_sort_as_numbers() -> None:
    agent = AgentFactory.create()
    for number in ("1.9.0", "1.10.0", "1.2.30"):
        AgentVersionFactory.create(agent=agent, number=number)
    numbers = AgentVersion.objects.filter(agent=agent).newest_first().values_list("number", flat=True)
    assert list(numbers) == ["1.10.0", "1.9.0", "1.2.30"]


def test_search_vector_follows_every_write() -> None:
    agent = AgentFactory.create(name="Heron")
    Agent.objects.filter(pk=agent.pk).update(name="Kingfisher")
    assert "kingfish" in Agent.objects.values_list("search_vector", flat=True).get(pk=agent.pk)
