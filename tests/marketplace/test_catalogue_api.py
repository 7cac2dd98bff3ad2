"""Agents and versions over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from marketplace.api import throttles
from marketplace.models import Agent, AgentVersion, Category
from tests.account_fixtures import ApiFor
from tests.factories.marketplace import (
    INPUT_SCHEMA,
    NATIVE,
    OUTPUT_SCHEMA,
    AgentFactory,
    AgentPriceFactory,
    CategoryFactory,
    PublishedAgentFactory,
    PurchaseFactory,
    image_of,
)
from wallets.models import User
from wallets.rates import Rate

NEW_AGENT: dict[str, Any] = {
    "name": "Text Summariser",
    "tagline": "Turns long texts into short ones.",
    "description": "Reads a **text**.",
    "category": "writing",
    "access_duration": 2_592_000,
    "prices": {"ETH": "2000000000000000"},
}
NEW_VERSION: dict[str, Any] = {
    "number": "1.1.0",
    "image": image_of("new"),
    "input_schema": INPUT_SCHEMA,
    "output_schema": OUTPUT_SCHEMA,
    "example_input": {"text": "Hello."},
    "release_notes": "Faster.",
}


@pytest.fixture(autouse=True)
def _category(db: None) -> None:
    CategoryFactory.create(slug="writing", position=1)


@pytest.fixture
def anyone(api: ApiFor) -> APIClient:
    return api(None)


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert response.status_code == status, body
    assert response["Content-Type"] == "application/problem+json"
    assert (body["code"], body["status"]) == (code, status)
    return body


def test_categories_are_public_and_in_order(anyone: APIClient) -> None:
    Category.objects.all().delete()
    CategoryFactory.create(slug="data", name="Data", description="Tables.", position=2)
    CategoryFactory.create(slug="writing", name="Writing", description="", position=1)
    response = anyone.get("/api/v1/categories")
    assert response.status_code == 200
    assert response.json() == [
        {"slug": "writing", "name": "Writing", "description": ""},
        {"slug": "data", "name": "Data", "description": "Tables."},
    ]


# --- reading


def test_list_shows_exact_values(anyone: APIClient, agent: Agent, creator: User) -> None:
    version = agent.live_version
    assert version is not None
    response = anyone.get("/api/v1/agents")
    assert response.status_code == 200
    assert response.json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "id": str(agent.pk),
                "slug": "text-summariser",
                "onchain_id": agent.onchain_id,
                "name": "Text Summariser",
                "tagline": agent.tagline,
                "category": "writing",
                "creator": {"id": str(creator.pk), "name": "Grace", "address": creator.primary_address},
                "status": "published",
                "network": "local",
                "access_duration": 0,
                "prices": [
                    {
                        "token": {"symbol": "ETH", "name": "Ether", "address": NATIVE, "decimals": 18},
                        "amount": "10000000000000000",
                        "amount_display": "0.01 ETH",
                    }
                ],
                "live_version": "1.0.0",
                "purchase_count": 0,
                "execution_count": 0,
                "published_at": agent.published_at.isoformat().replace("+00:00", "Z"),  # type: ignore[union-attr]
            }
        ],
    }


def test_detail_adds_description_and_the_live_version(anyone: APIClient, agent: Agent) -> None:
    Agent.objects.update(description="**Bold** <script>alert(1)</script>")
    body = anyone.get("/api/v1/agents/text-summariser").json()
    assert body["description"] == "**Bold** <script>alert(1)</script>"
    assert body["description_html"] == "<p><strong>Bold</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"
    assert body["live_version"]["number"] == "1.0.0"
    assert body["live_version"]["input_schema"] == INPUT_SCHEMA
    assert body["live_version"]["status"] == "live"


def test_usdc_price_is_shown_in_its_units(anyone: APIClient, agent: Agent, usdc: str) -> None:
    AgentPriceFactory.create(agent=agent, token=usdc, amount=5_250_000)
    (found,) = anyone.get("/api/v1/agents").json()["results"]
    assert [(price["token"]["symbol"], price["amount"], price["amount_display"]) for price in found["prices"]] == [
        ("ETH", "10000000000000000", "0.01 ETH"),
        ("USDC", "5250000", "5.25 USDC"),
    ]


def test_search_filters_and_orders(anyone: APIClient, agent: Agent, usdc: str) -> None:
    CategoryFactory.create(slug="data")
    other = PublishedAgentFactory.create(name="CSV Profiler", category_id="data", purchase_count=3)
    AgentPriceFactory.create(agent=other, token=usdc, amount=1)

    def slugs(**query: str) -> list[str]:
        return [found["name"] for found in anyone.get("/api/v1/agents", query).json()["results"]]

    assert slugs(q="sumariser") == ["Text Summariser"]
    assert slugs(category="data") == ["CSV Profiler"]
    assert slugs(token="USDC") == ["CSV Profiler"]
    assert slugs(ordering="popular") == ["CSV Profiler", "Text Summariser"]
    assert slugs(q="nothing-like-it") == []


def test_unknown_token_and_ordering_are_named(anyone: APIClient) -> None:
    body = problem_of(anyone.get("/api/v1/agents", {"token": "DOGE"}), 422, "unknown_token")
    assert [error["pointer"] for error in body["errors"]] == ["/token"]
    body = problem_of(anyone.get("/api/v1/agents", {"ordering": "password"}), 422, "invalid_search")
    assert body["errors"][0]["pointer"] == "/ordering"


@pytest.mark.parametrize("ordering", ["relevance", "newest", "popular", "price"])
def test_pages_show_every_agent_once_forwards_and_backwards(anyone: APIClient, ordering: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(7):
        made = PublishedAgentFactory.create(
            name="Text tool", purchase_count=number // 3, published_at=start + timedelta(days=number // 3), price=None
        )
        AgentPriceFactory.create(agent=made, amount=10**30 + number // 3)
    query = "&q=text" if ordering == "relevance" else ""
    url: str | None = f"/api/v1/agents?ordering={ordering}&page_size=2{query}"
    pages = []
    while url:
        body = anyone.get(url).json()
        pages.append([found["id"] for found in body["results"]])
        last, url = body, body["next"]
    everything = [found["id"] for found in anyone.get(f"/api/v1/agents?ordering={ordering}{query}").json()["results"]]
    assert [pk for page in pages for pk in page] == everything
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert len(set(everything)) == 7
    back = []
    while last["previous"]:
        last = anyone.get(last["previous"]).json()
        back.append([found["id"] for found in last["results"]])
    assert back == pages[-2::-1]


@pytest.mark.parametrize("cursor", ["x", "", "W10=", "bnVsbA==", "WyJuIiwiMSIsIngiLDBd", "\x00", "é", "W" * 5000])
def test_cursor_that_is_not_ours_is_not_found(anyone: APIClient, agent: Agent, cursor: str) -> None:
    response = anyone.get("/api/v1/agents", {"cursor": cursor})
    if cursor:
        problem_of(response, 404, "not_found")
    else:
        assert response.status_code == 200


def test_cursor_of_another_ordering_is_not_found(anyone: APIClient, agent: Agent) -> None:
    PublishedAgentFactory.create_batch(2)
    link = anyone.get("/api/v1/agents?ordering=newest&page_size=1").json()["next"]
    problem_of(anyone.get(link.replace("newest", "popular")), 404, "not_found")


def test_list_costs_a_fixed_number_of_queries(
    anyone: APIClient, usdc: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def read(count: int) -> None:
        assert len(anyone.get("/api/v1/agents?q=agent&token=USDC").json()["results"]) == count

    for made in PublishedAgentFactory.create_batch(2):
        AgentPriceFactory.create(agent=made, token=usdc)
    # Tokens for the filter, whether the words are held, agents, wallets, prices, live versions, tokens for the amounts.
    with django_assert_num_queries(7):
        read(2)
    for made in PublishedAgentFactory.create_batch(10):
        AgentPriceFactory.create(agent=made, token=usdc)
    with django_assert_num_queries(7):
        read(12)


@pytest.mark.parametrize(
    ("status", "who_may"),
    [
        ("published", {"anonymous", "stranger", "buyer", "creator", "staff"}),
        ("draft", {"creator", "staff"}),
        ("suspended", {"buyer", "creator", "staff"}),
        ("archived", {"buyer", "creator", "staff"}),
    ],
)
def test_who_may_read_an_agent_and_its_versions(
    api: ApiFor, agent: Agent, creator: User, buyer: User, stranger: User, staff: User, status: str, who_may: set[str]
) -> None:
    PurchaseFactory.create(agent=agent, buyer=buyer, status="active", deposited_at=agent.published_at)
    PurchaseFactory.create(agent=agent, buyer=stranger, status="quoted")
    Agent.objects.update(status=status)
    people = {"anonymous": None, "stranger": stranger, "buyer": buyer, "creator": creator, "staff": staff}
    for address in ("/api/v1/agents/text-summariser", "/api/v1/agents/text-summariser/versions"):
        allowed = {name for name, user in people.items() if api(user).get(address).status_code == 200}
        assert allowed == who_may
    refused = set(people) - who_may
    for name in refused:
        problem_of(api(people[name]).get("/api/v1/agents/text-summariser"), 404, "not_found")


# --- writing


def test_create_then_version_then_publish(api: ApiFor, creator: User, anyone: APIClient) -> None:
    client = api(creator)
    response = client.post("/api/v1/agents", NEW_AGENT)
    assert response.status_code == 201
    body = response.json()
    assert (body["slug"], body["status"], body["live_version"], body["access_duration"]) == (
        "text-summariser",
        "draft",
        None,
        2_592_000,
    )
    assert body["prices"][0]["amount"] == "2000000000000000"
    problem = problem_of(client.post("/api/v1/agents/text-summariser/publish"), 409, "not_publishable")
    assert problem["errors"] == [{"pointer": "/versions", "message": "Add a version first."}]

    response = client.post("/api/v1/agents/text-summariser/versions", NEW_VERSION)
    assert response.status_code == 201
    version = AgentVersion.objects.get()
    assert response.json() == {
        "id": str(version.pk),
        "number": "1.1.0",
        "status": "live",
        "verdict": "accepted",
        "verdict_reason": "",
        "kind": "container",
        "image": NEW_VERSION["image"],
        "module": "",
        "input_schema": INPUT_SCHEMA,
        "output_schema": OUTPUT_SCHEMA,
        "example_input": {"text": "Hello."},
        "release_notes": "Faster.",
        "limits": {"memory_bytes": 536870912, "cpus": "0.5", "timeout_seconds": 300},
        "hosts": [],
        "gpus": 0,
        "runtime": "",
        "runs_in": "A container",
        "created_at": version.created_at.isoformat().replace("+00:00", "Z"),
        "withdrawn_at": None,
    }
    assert client.post("/api/v1/agents/text-summariser/publish").json()["status"] == "published"
    assert anyone.get("/api/v1/agents").json()["results"][0]["live_version"] == "1.1.0"

    response = client.post("/api/v1/agents/text-summariser/versions/1.1.0/withdraw")
    assert (response.status_code, response.json()["status"]) == (200, "withdrawn")
    problem_of(client.post("/api/v1/agents/text-summariser/versions/1.1.0/withdraw"), 409, "invalid_transition")
    assert client.post("/api/v1/agents/text-summariser/archive").json()["status"] == "archived"
    problem_of(client.post("/api/v1/agents/text-summariser/archive"), 409, "invalid_transition")


def test_refused_values_of_an_agent_are_pointed_at(api: ApiFor, creator: User) -> None:
    response = api(creator).post("/api/v1/agents", NEW_AGENT | {"name": "x", "prices": {"ETH": "0", "DOGE": "1"}})
    body = problem_of(response, 422, "invalid_agent")
    assert body["errors"] == [
        {"pointer": "/name", "message": "Enter at least 3 characters."},
        {"pointer": "/prices/ETH", "message": "The price must be more than zero."},
        {"pointer": "/prices/DOGE", "message": "Local chain does not know this token."},
    ]
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"prices": {"ETH": "0.5"}}, "/prices/ETH"),
        ({"prices": {"ETH": "-1"}}, "/prices/ETH"),
        ({"prices": {"ETH": 1.5}}, "/prices/ETH"),
        ({"prices": {"ETH": None}}, "/prices/ETH"),
        ({"prices": {"ETH": str(2**256)}}, "/prices/ETH"),
        ({"prices": []}, "/prices"),
        ({"access_duration": "soon"}, "/access_duration"),
        ({"access_duration": 2**70}, "/access_duration"),
        ({"name": None}, "/name"),
        ({"name": {}}, "/name"),
        ({"category": "nothing"}, "/category"),
        ({"category": "a\x00"}, "/category"),
        ({"description": ""}, "/description"),
    ],
)
def test_malformed_values_are_pointed_at(api: ApiFor, creator: User, changes: dict[str, Any], pointer: str) -> None:
    response = api(creator).post("/api/v1/agents", NEW_AGENT | changes)
    assert response.status_code in (400, 422)
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not Agent.objects.exists()


def test_update_changes_what_is_given(api: ApiFor, agent: Agent, creator: User) -> None:
    response = api(creator).patch(
        "/api/v1/agents/text-summariser", {"tagline": "New tagline here.", "prices": {"ETH": 5}}
    )
    assert response.status_code == 200
    body = response.json()
    assert (body["tagline"], body["name"], body["prices"][0]["amount"]) == ("New tagline here.", "Text Summariser", "5")


def test_fields_nobody_may_set_are_ignored(api: ApiFor, agent: Agent, creator: User) -> None:
    forged = {"status": "archived", "onchain_id": 1, "purchase_count": 9, "creator": "x", "slug": "other"}
    assert api(creator).patch("/api/v1/agents/text-summariser", forged).status_code == 200
    agent.refresh_from_db()
    assert (agent.status, agent.purchase_count, agent.slug) == ("published", 0, "text-summariser")


def test_refused_values_of_a_version_are_pointed_at(api: ApiFor, agent: Agent, creator: User) -> None:
    response = api(creator).post(
        "/api/v1/agents/text-summariser/versions",
        NEW_VERSION | {"number": "1.0.0", "image": "agent:latest", "input_schema": {"type": "object", "properties": 5}},
    )
    body = problem_of(response, 422, "invalid_version")
    assert [error["pointer"] for error in body["errors"]] == ["/image", "/input_schema/properties"]
    response = api(creator).post("/api/v1/agents/text-summariser/versions", NEW_VERSION | {"number": "1.0.0"})
    assert problem_of(response, 422, "invalid_version")["errors"] == [
        {"pointer": "/number", "message": "Must be greater than 1.0.0."}
    ]


WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("patch", "/api/v1/agents/text-summariser", {"tagline": "Taken over by me."}),
    ("post", "/api/v1/agents/text-summariser/publish", {}),
    ("post", "/api/v1/agents/text-summariser/archive", {}),
    ("post", "/api/v1/agents/text-summariser/versions", NEW_VERSION),
    ("post", "/api/v1/agents/text-summariser/versions/1.0.0/withdraw", {}),
]


@pytest.mark.parametrize(("method", "url", "body"), WRITES)
def test_only_the_creator_writes(
    api: ApiFor, agent: Agent, stranger: User, staff: User, method: str, url: str, body: dict[str, Any]
) -> None:
    before = list(Agent.objects.values())
    problem_of(getattr(api(None), method)(url, body), 401, "not_authenticated")
    problem_of(getattr(api(stranger), method)(url, body), 403, "not_yours")
    if not url.endswith("withdraw"):  # moderation: staff may withdraw
        problem_of(getattr(api(staff), method)(url, body), 403, "not_yours")
    assert list(Agent.objects.values()) == before
    assert AgentVersion.objects.filter(status="live").count() == 1


@pytest.mark.parametrize(("method", "url", "body"), WRITES)
def test_draft_of_somebody_else_is_not_there(
    api: ApiFor, agent: Agent, stranger: User, method: str, url: str, body: dict[str, Any]
) -> None:
    Agent.objects.update(status="draft")
    problem_of(getattr(api(stranger), method)(url, body), 404, "not_found")


def test_anonymous_cannot_create(anyone: APIClient) -> None:
    problem_of(anyone.post("/api/v1/agents", NEW_AGENT), 401, "not_authenticated")
    assert not Agent.objects.exists()


def test_versions_are_listed_newest_first(anyone: APIClient, api: ApiFor, agent: Agent, creator: User) -> None:
    api(creator).post("/api/v1/agents/text-summariser/versions", NEW_VERSION)
    body = anyone.get("/api/v1/agents/text-summariser/versions").json()
    assert [version["number"] for version in body["results"]] == ["1.1.0", "1.0.0"]


def test_unknown_version_is_not_found(api: ApiFor, agent: Agent, creator: User) -> None:
    problem_of(api(creator).post("/api/v1/agents/text-summariser/versions/9.9.9/withdraw"), 404, "not_found")


def test_writing_is_limited(api: ApiFor, creator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles.PublishThrottle, "rate", Rate("test-publish", limit=2, seconds=60))
    client = api(creator)
    answers = [client.post("/api/v1/agents", NEW_AGENT).status_code for _ in range(3)]
    assert answers == [201, 201, 429]
    assert Agent.objects.count() == 2


def test_new_agent_belongs_to_the_default_network(api: ApiFor, creator: User) -> None:
    api(creator).post("/api/v1/agents", NEW_AGENT | {"network": "base"})
    assert Agent.objects.get().network == "local"


def test_hostile_query_strings_are_only_searches(anyone: APIClient, agent: Agent) -> None:
    for query in ("%00", "%ed%a0%80", "'%22--;", "%F0%9F%94%A5", "a" * 4000, "((((", ":*"):
        assert anyone.get(f"/api/v1/agents?q={query}").status_code == 200
    for slug in ("%00", "a%20b", "../../etc", "x" * 3000):
        assert anyone.get(f"/api/v1/agents/{slug}").status_code == 404


@pytest.mark.parametrize("url", ["/api/v1/agents", "/api/v1/agents/text-summariser/versions", "/api/v1/purchases"])
@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "{", "", "[1]", '"x"', "null", "1e999", "NaN"])
def test_malformed_bodies_are_the_clients_mistake(
    api: ApiFor, agent: Agent, creator: User, url: str, body: str
) -> None:
    response = api(creator).post(url, body, content_type="application/json")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_numbers_beyond_floats_in_schemas_are_refused(api: ApiFor, agent: Agent, creator: User) -> None:
    body = json.dumps(NEW_VERSION | {"input_schema": {"type": "object", "default": 12345}}).replace("12345", "1e999")
    response = api(creator).post("/api/v1/agents/text-summariser/versions", body, content_type="application/json")
    assert problem_of(response, 400, "invalid")["errors"] == [
        {"pointer": "/input_schema", "message": "Value must be valid JSON."}
    ]


def test_drafts_do_not_show_in_lists_even_to_their_creator(api: ApiFor, creator: User) -> None:
    AgentFactory.create(creator=creator)
    assert api(creator).get("/api/v1/agents").json()["results"] == []
