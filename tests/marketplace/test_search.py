"""Finding agents."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from chain.errors import UnknownTokenError
from marketplace.catalogue.search import Ordering, plan, search
from marketplace.errors import InvalidSearchError
from marketplace.models import Category
from tests.factories.marketplace import (
    NATIVE,
    AgentFactory,
    AgentPriceFactory,
    CategoryFactory,
    PublishedAgentFactory,
)

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)


def published(
    name: Any,
    tagline: Any = "Does one thing and does it well.",
    description: Any = "Nothing more to say.",
    days: Any = 0,
    **values: Any,
) -> Any:
    return PublishedAgentFactory.create(
        name=name, tagline=tagline, description=description, published_at=START + timedelta(days=days), **values
    )


def names(*args: Any, **kwargs: Any) -> Any:
    return [agent.name for agent in search(*args, **kwargs)]


@pytest.fixture
def shelf() -> Any:
    data = CategoryFactory.create(slug="data")
    published("Text Summariser", "Turns long texts into short ones.", "Reads reports and minutes.", days=1)
    published("CSV Profiler", "Finds what is odd in your table.", "Reads columns, counts gaps.", days=2, category=data)
    published("Contract Auditor", "Known hazards in Solidity.", "Lists what it found.", days=3)
    return data


def test_without_a_query_the_newest_come_first(shelf: Category) -> None:
    assert names() == ["Contract Auditor", "CSV Profiler", "Text Summariser"]


def test_only_published_agents_of_the_network_are_found(shelf: Category) -> None:
    AgentFactory.create(name="Draft Summariser")
    AgentFactory.create(name="Gone Summariser", status="archived")
    AgentFactory.create(name="Bad Summariser", status="suspended")
    published("Far Summariser", network="base-sepolia")
    assert names("summariser") == ["Text Summariser"]


@pytest.mark.parametrize("column", ["is_suspended", "is_active"])
def test_agents_of_creators_who_may_not_act_are_left_out(shelf: Category, column: str) -> None:
    creator = published("Suspended Summariser").creator
    setattr(creator, column, not getattr(creator, column))
    creator.save()
    assert names("summariser") == ["Text Summariser"]


def test_name_weighs_more_than_description(shelf: Category) -> None:
    published("Hazard Finder", days=4)
    assert names("hazard") == ["Hazard Finder", "Contract Auditor"]


def test_words_are_stemmed(shelf: Category) -> None:
    assert names("reporting") == ["Text Summariser"]


@pytest.mark.parametrize("query", ["sumariser", "Text Sumariser", "summarisr"])
def test_typing_errors_in_names_are_forgiven(shelf: Category, query: Any) -> None:
    assert names(query)[0] == "Text Summariser"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("prof", "CSV Profiler"),
        ("c", "CSV Profiler"),
        ("text summ", "Text Summariser"),
        ("solid", "Contract Auditor"),
        ("haz", "Contract Auditor"),
    ],
)
def test_prefixes_are_found(shelf: Category, query: Any, name: Any) -> None:
    assert name in names(query)


def test_category_name_is_searched(shelf: Category) -> None:
    assert names("data") == ["CSV Profiler"]


def test_operators_are_taken_literally(shelf: Category) -> None:
    assert names('"odd in your table"') == ["CSV Profiler"]
    assert names('"table your odd"') == []
    assert sorted(names("reads")) == ["CSV Profiler", "Text Summariser"]
    assert names("reads -table") == ["Text Summariser"]
    assert names("csv or solidity", ordering="newest") == ["Contract Auditor", "CSV Profiler"]


def test_category_filter(shelf: Category) -> None:
    assert names(category="data") == ["CSV Profiler"]
    assert names(category="nothing") == []
    assert names("summariser", category="data") == []


def test_token_filter_by_symbol_and_address(shelf: Category, usdc: str) -> None:
    sold = published("Dollar Tool", days=9)
    AgentPriceFactory.create(agent=sold, token=usdc, amount=5_000_000)
    assert names(token="USDC") == ["Dollar Tool"]
    assert names(token=usdc.lower()) == ["Dollar Tool"]
    assert len(names(token="ETH")) == 4
    with pytest.raises(UnknownTokenError) as caught:
        names(token="DOGE")
    assert list(caught.value.fields) == ["token"]


def test_popular_and_price_orderings(shelf: Category, usdc: str) -> None:
    cheap = published("Cheap Tool", days=4, price=None, purchase_count=7)
    AgentPriceFactory.create(agent=cheap, amount=1)
    dear = published("Dear Tool", days=5, price=None, purchase_count=9)
    AgentPriceFactory.create(agent=dear, amount=2**90)
    only_dollars = published("Dollar Tool", days=6, price=None)
    AgentPriceFactory.create(agent=only_dollars, token=usdc, amount=1)
    assert names(ordering="popular")[:2] == ["Dear Tool", "Cheap Tool"]
    by_price = names(ordering="price")
    assert (by_price[0], by_price[-1], len(by_price)) == ("Cheap Tool", "Dear Tool", 5)
    assert names(ordering="price", token="USDC") == ["Dollar Tool"]
    assert search(ordering="price", token=NATIVE)[0].name == "Cheap Tool"


def test_unknown_ordering_is_refused() -> None:
    with pytest.raises(InvalidSearchError) as caught:
        search(ordering="random()")
    assert caught.value.fields == {"ordering": "Use one of relevance, newest, popular, price."}


def test_relevance_without_a_query_is_allowed(shelf: Category) -> None:
    assert len(names(ordering="relevance")) == 3


def test_plan_names_the_ordering_chosen(shelf: Category) -> None:
    assert plan("text").ordering is Ordering.RELEVANCE
    assert plan().ordering is Ordering.NEWEST
    assert plan("text", ordering="price").ordering is Ordering.PRICE


@pytest.mark.parametrize(
    "query",
    [
        "'",
        '"',
        "\\",
        "''; DROP TABLE marketplace_agent; --",
        "a\x00b",
        "\ud800",
        "%_%",
        ":*",
        "&|!()<->",
        "!!!",
        "-",
        "--",
        "( ( (",
        "a:*b",
        "'a':*",
        "a" * 10_000,
        "or or or",
        "\u202e",
        "🔥" * 100,
        "日本語",
        "NULL",
        "{}",
        "%(x)s",
        "%s",
        "\n\t\r",
        "a & b | !c <-> d",
        '"unclosed',
        "word " * 500,
    ],
)
def test_hostile_queries_are_only_queries(shelf: Category, query: Any) -> None:
    for ordering in Ordering:
        list(search(query, ordering=ordering))
    list(search("text", category=query))
    with pytest.raises(UnknownTokenError):
        list(search("text", token=query))


def test_listing_costs_a_fixed_number_of_queries(
    shelf: Category, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def read() -> None:
        for agent in search("summariser table hazards or data"):
            _ = agent.live_version, agent.category.name, agent.creator.shown_name
            _ = [price.amount for price in agent.prices.all()]

    with django_assert_num_queries(4):
        read()
    for number in range(10):
        published(f"Table data {number}")
    with django_assert_num_queries(4):
        read()
