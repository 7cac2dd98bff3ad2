"""The marketplace's pages as owner, holder, stranger and anonymous visitor see them."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from chain.artefacts import TEST_USDC
from chain.models import Deployment
from marketplace.models import Agent, AgentVersion, Purchase
from tests.factories.marketplace import (
    AgentFactory,
    AgentPriceFactory,
    AgentVersionFactory,
    CategoryFactory,
    PublishedAgentFactory,
    PurchaseFactory,
    grant_access,
    image_of,
)
from tests.pages import SignIn, said, text
from wallets.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def usdc() -> str:
    """USDC as the local chain's deployment names it."""
    address = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
    Deployment.objects.create(network="local", contract=TEST_USDC, address=address, block_number=1)
    return address


def page(slug: str, name: str = "agent") -> str:
    return reverse(f"marketplace:{name}", args=[slug])


# --- catalogue ---
def test_the_catalogue_explains_itself_to_visitors_and_not_to_people_signed_in(
    client: Client, signed_in: SignIn, stranger: User
) -> None:
    assert "How it works" in text(client.get("/"))
    assert "How it works" not in text(signed_in(stranger).get("/"))


def test_the_catalogue_lists_published_agents_only(client: Client) -> None:
    PublishedAgentFactory.create(name="On the shelf")
    AgentFactory.create(name="Still in the drawer")
    shown = text(client.get("/"))
    assert "On the shelf" in shown
    assert "0.01 ETH" in shown
    assert "Still in the drawer" not in shown


def test_searching_with_htmx_answers_the_results_alone(client: Client) -> None:
    PublishedAgentFactory.create(name="Invoice reader")
    PublishedAgentFactory.create(name="Poem counter")
    response = client.get("/", {"q": "invoice"}, headers={"HX-Request": "true"})
    assert "Invoice reader" in text(response)
    assert "Poem counter" not in text(response)
    assert "<html" not in text(response)
    assert "HX-Request" in response["Vary"]


def test_a_search_without_a_match_offers_the_way_back(client: Client) -> None:
    shown = text(client.get("/", {"q": "zzzzzz"}))
    assert "Nothing matches “zzzzzz”" in shown
    assert "Clear search and filters" in shown


def test_an_empty_marketplace_invites_to_publish(client: Client) -> None:
    assert "No agent is for sale yet" in text(client.get("/"))


@pytest.mark.parametrize("query", [{"ordering": "nonsense"}, {"token": "DOGE"}, {"page": "x"}, {"category": "\x00"}])
def test_a_mistyped_link_still_shows_agents(client: Client, query: dict[str, str]) -> None:
    PublishedAgentFactory.create()
    assert client.get("/", query).status_code == 200


def test_filters_stay_chosen(client: Client, usdc: str) -> None:
    CategoryFactory.create(slug="data")
    agent = PublishedAgentFactory.create(category_id="data", name="Table tidier")
    AgentPriceFactory.create(agent=agent, token=usdc, amount=5_000_000)
    PublishedAgentFactory.create(name="Poem counter")
    shown = text(client.get("/", {"category": "data", "token": "USDC", "ordering": "price"}))
    assert "Table tidier" in shown
    assert "or 5 USDC" in shown
    assert "Poem counter" not in shown
    assert re.search(r'value="data" checked', shown)
    assert re.search(r'value="USDC" selected', shown)
    assert re.search(r'value="price" selected', shown)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("/studio/", "/studio/"),
        ("/agents/x/buy/?a=b", "/agents/x/buy/?a=b"),
        ("https://evil.example/", ""),
        ("//evil.example/", ""),
        ("javascript:alert(1)", ""),
        ("studio/", ""),
    ],
)
def test_only_paths_of_this_site_are_gone_to_after_signing_in(client: Client, asked: str, kept: str) -> None:
    shown = text(client.get("/", {"connect": "1", "next": asked}))
    assert 'data-open="true"' in shown
    found = re.search(r'data-next="([^"]*)"', shown)
    assert (found[1] if found else "") == kept


def test_the_catalogue_costs_the_same_number_of_queries_however_many_agents(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    PublishedAgentFactory.create_batch(9)
    with django_assert_max_num_queries(10):
        client.get("/")


def test_pages_of_the_catalogue(client: Client) -> None:
    PublishedAgentFactory.create_batch(13)
    first = text(client.get("/"))
    assert 'Page <span class="num">1</span> of <span class="num">2</span>' in first
    assert 'rel="next"' in first
    assert "How it works" not in text(client.get("/", {"page": "2"}))


# --- an agent's page ---
def test_anybody_sees_a_published_agent_with_what_it_needs_and_gives(client: Client) -> None:
    agent = PublishedAgentFactory.create(access_duration=30 * 86_400)
    shown = text(client.get(page(agent.slug)))
    assert "for 30 days" in shown
    assert "Connect and buy" in shown
    assert "text · long text" in shown
    assert "summary · formatted text" in shown
    assert agent.live_version is not None
    assert agent.live_version.image in shown
    assert "<strong>text</strong>" in shown
    assert "Edit" not in shown


def test_a_description_cannot_bring_markup_of_its_own(client: Client) -> None:
    agent = PublishedAgentFactory.create(description="<script>alert(1)</script> [x](javascript:alert(1))", name="<b>x")
    shown = client.get(page(agent.slug)).content.decode()
    assert "<script>alert" not in shown
    assert 'href="javascript' not in shown
    assert "<b>x" not in shown


def test_pages_have_a_strict_policy_and_no_inline_styles(client: Client) -> None:
    agent = PublishedAgentFactory.create()
    for address in ("/", page(agent.slug)):
        response = client.get(address)
        policy = response["Content-Security-Policy"]
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"\sstyle=", response.content.decode())
        assert not re.search(r"\son[a-z]+=\"", response.content.decode())


def test_drafts_are_their_owners_alone(client: Client, signed_in: SignIn, stranger: User) -> None:
    draft = AgentFactory.create()
    assert client.get(page(draft.slug)).status_code == 404
    assert signed_in(stranger).get(page(draft.slug)).status_code == 404
    shown = text(signed_in(draft.creator).get(page(draft.slug)))
    assert "only you can see this page" in shown
    assert "No version yet" in shown


def test_the_owner_has_the_controls_and_need_not_buy(signed_in: SignIn) -> None:
    agent = PublishedAgentFactory.create()
    shown = text(signed_in(agent.creator).get(page(agent.slug)))
    assert page(agent.slug, "agent-edit") in shown
    assert page(agent.slug, "agent-archive") in shown
    assert "Run this agent" in shown
    assert "Buy access" not in shown


def test_a_holder_can_run_it_and_sees_until_when(signed_in: SignIn, stranger: User) -> None:
    agent = PublishedAgentFactory.create(access_duration=86_400)
    grant_access(stranger, agent, expires_at=4_102_444_800)
    shown = text(signed_in(stranger).get(page(agent.slug)))
    assert "Run this agent" in shown
    assert "2100-01-01" in shown
    assert "Extend by 1 day" in shown
    assert page(agent.slug, "agent-edit") not in shown


def test_access_for_ever_has_nothing_to_extend(signed_in: SignIn, stranger: User) -> None:
    agent = PublishedAgentFactory.create()
    grant_access(stranger, agent)
    shown = text(signed_in(stranger).get(page(agent.slug)))
    assert "For ever" in shown
    assert page(agent.slug, "buy") not in shown


def test_without_a_version_there_is_nothing_to_buy(client: Client) -> None:
    agent = PublishedAgentFactory.create(version=None)
    shown = text(client.get(page(agent.slug)))
    assert "It has no version that can be run yet." in shown
    assert page(agent.slug, "buy") not in shown


# --- buying ---
def test_buying_asks_visitors_to_sign_in_and_to_come_back(client: Client) -> None:
    agent = PublishedAgentFactory.create()
    response = client.get(page(agent.slug, "buy"))
    assert response.status_code == 302
    assert response["Location"] == f"/?connect=1&next=/agents/{agent.slug}/buy/"


def test_the_order_states_price_duration_recipient_and_fee(signed_in: SignIn, stranger: User) -> None:
    agent = PublishedAgentFactory.create(access_duration=86_400)
    shown = text(signed_in(stranger).get(page(agent.slug, "buy")))
    assert 'data-price="0.01 ETH"' in shown
    assert "for 1 day" in shown
    assert "2.5 %, included" in shown
    address = str(stranger.primary_address)
    assert f"{address[:6]}…{address[-4:]}" in shown


def test_creators_and_lifetime_holders_are_told_they_need_not_buy(signed_in: SignIn, stranger: User) -> None:
    agent = PublishedAgentFactory.create()
    grant_access(stranger, agent)
    response = signed_in(agent.creator).get(page(agent.slug, "buy"))
    assert (response.status_code, response["Location"]) == (302, page(agent.slug))
    assert said(response) == ["This is your own agent: you can run it without buying."]
    assert said(signed_in(stranger).get(page(agent.slug, "buy"))) == [
        "Your access never ends: there is nothing to buy."
    ]


def test_what_is_not_for_sale_cannot_be_ordered(signed_in: SignIn, stranger: User) -> None:
    agent = PublishedAgentFactory.create(version=None)
    response = signed_in(stranger).get(page(agent.slug, "buy"))
    assert said(response) == ["This agent is not for sale at the moment."]
    assert signed_in(stranger).get(page(AgentFactory.create().slug, "buy")).status_code == 404


@pytest.mark.parametrize("status", list(Purchase.Status))
def test_a_purchase_is_shown_to_its_buyer_in_every_state(signed_in: SignIn, status: Purchase.Status) -> None:
    purchase = PurchaseFactory.create(status=status, payer="0x5FbDB2315678afecb367f032d93F642f64180aa3")
    shown = text(signed_in(purchase.buyer).get(reverse("marketplace:purchase", args=[purchase.pk])))
    assert "0.01 ETH" in shown
    assert f'data-status="{status}"' in shown
    waiting = status in (Purchase.Status.QUOTED, Purchase.Status.DEPOSITED, Purchase.Status.UNKNOWN)
    assert ("data-steps" in shown) is waiting


def test_a_purchase_is_nobody_elses_business(client: Client, signed_in: SignIn, stranger: User) -> None:
    purchase = PurchaseFactory.create()
    address = reverse("marketplace:purchase", args=[purchase.pk])
    assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(purchase.agent.creator).get(address).status_code == 404
    assert client.get(address)["Location"] == f"/?connect=1&next={address}"
    assert signed_in(stranger).get(reverse("marketplace:purchase", args=[uuid4()])).status_code == 404


# --- the studio ---
def test_the_studio_lists_own_agents_only(client: Client, signed_in: SignIn, stranger: User) -> None:
    agent = PublishedAgentFactory.create(name="Mine alone", purchase_count=7)
    shown = text(signed_in(agent.creator).get("/studio/"))
    assert "Mine alone" in shown
    assert ">7<" in shown
    assert "Mine alone" not in text(signed_in(stranger).get("/studio/"))
    assert "You have not published anything yet" in text(signed_in(stranger).get("/studio/"))
    assert client.get("/studio/")["Location"] == "/?connect=1&next=/studio/"


def agent_data(**changes: str) -> dict[str, str]:
    CategoryFactory.create()
    return {
        "name": "Text digest",
        "tagline": "Summarises long texts for busy people.",
        "category": "writing",
        "description": "Says what **matters**.",
        "access_duration": str(30 * 86_400),
        "price_ETH": "0.002",
        **changes,
    }


def test_a_new_agent_becomes_a_draft_and_asks_for_its_version(signed_in: SignIn, stranger: User, usdc: str) -> None:
    response = signed_in(stranger).post("/agents/new/", agent_data(price_USDC="5"))
    agent = Agent.objects.get()
    assert response["Location"] == page(agent.slug, "version-new")
    assert (agent.creator, agent.status, agent.access_duration) == (stranger, Agent.Status.DRAFT, 30 * 86_400)
    prices = {price.token: price.amount for price in agent.prices.all()}
    assert prices == {"0x0000000000000000000000000000000000000000": 2 * 10**15, usdc: 5_000_000}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"price_ETH": "1e3"}, "Enter an amount as a plain number, for example 0.01."),
        ({"price_ETH": "0"}, "The price must be more than zero."),
        ({"price_ETH": "0.0000000000000000001"}, "ETH has 18 decimals; this amount has 19."),
        ({"price_ETH": "-1"}, "Enter an amount as a plain number, for example 0.01."),
        ({"name": ""}, "This field is required."),
        ({"tagline": "short"}, "Enter at least 10 characters."),
        ({"category": "nothing"}, "Select a valid choice."),
        ({"access_duration": "17"}, "Select a valid choice."),
        ({"description": "bidi \u202e trick"}, "Remove the invisible control characters."),
    ],
)
def test_refused_values_are_named_at_their_field_and_nothing_is_saved(
    signed_in: SignIn, stranger: User, changes: dict[str, str], sentence: str
) -> None:
    response = signed_in(stranger).post("/agents/new/", agent_data(**changes))
    assert response.status_code == 422
    assert sentence in text(response)
    assert 'aria-invalid="true"' in text(response)
    assert not Agent.objects.exists()


def test_editing_keeps_what_was_there_and_saves_what_changed(signed_in: SignIn) -> None:
    agent = PublishedAgentFactory.create(access_duration=12_345)
    client = signed_in(agent.creator)
    shown = text(client.get(page(agent.slug, "agent-edit")))
    assert 'value="0.01"' in shown
    assert "12,345 seconds" in shown
    response = client.post(page(agent.slug, "agent-edit"), agent_data(name="Renamed", access_duration="12345"))
    agent.refresh_from_db()
    assert response["Location"] == page(agent.slug)
    assert (agent.name, agent.access_duration) == ("Renamed", 12_345)
    assert agent.prices.get().amount == 2 * 10**15


def test_a_published_agent_keeps_a_price(signed_in: SignIn) -> None:
    agent = PublishedAgentFactory.create()
    response = signed_in(agent.creator).post(page(agent.slug, "agent-edit"), agent_data(price_ETH=""))
    assert response.status_code == 422
    assert "A published agent needs a price." in text(response)
    assert agent.prices.get().amount == 10**16


OWNERS_PAGES = ["agent-edit", "version-new"]
OWNERS_ACTIONS = ["agent-publish", "agent-archive"]


@pytest.mark.parametrize("name", OWNERS_PAGES)
def test_only_the_owner_edits(client: Client, signed_in: SignIn, stranger: User, name: str) -> None:
    agent = PublishedAgentFactory.create()
    address = page(agent.slug, name)
    assert signed_in(agent.creator).get(address).status_code == 200
    assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(stranger).post(address, agent_data(name="Taken over")).status_code == 404
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("name", OWNERS_ACTIONS)
def test_only_the_owner_publishes_and_archives_and_only_by_post(
    client: Client, signed_in: SignIn, stranger: User, name: str
) -> None:
    agent = PublishedAgentFactory.create()
    address = page(agent.slug, name)
    assert signed_in(stranger).post(address).status_code == 404
    assert client.post(address).status_code == 302
    assert signed_in(agent.creator).get(address).status_code == 405
    agent.refresh_from_db()
    assert agent.status == Agent.Status.PUBLISHED


def test_publishing_says_what_is_missing(signed_in: SignIn) -> None:
    draft = AgentFactory.create()
    response = signed_in(draft.creator).post(page(draft.slug, "agent-publish"))
    assert said(response) == ["Add a version first. Set a price in at least one token."]
    draft.refresh_from_db()
    assert draft.status == Agent.Status.DRAFT


def test_off_the_market_and_back(signed_in: SignIn) -> None:
    agent = PublishedAgentFactory.create(name="Digest")
    client = signed_in(agent.creator)
    assert said(client.post(page(agent.slug, "agent-archive"))) == [
        "Digest is off the market. Those who bought it keep their access."
    ]
    agent.refresh_from_db()
    assert agent.status == Agent.Status.ARCHIVED
    client.post(page(agent.slug, "agent-publish"))
    agent.refresh_from_db()
    assert agent.status == Agent.Status.PUBLISHED


def version_data(**changes: str) -> dict[str, str]:
    return {
        "number": "1.0.0",
        "image": image_of("new"),
        "input_schema": '{"type": "object", "properties": {"text": {"type": "string"}}}',
        "output_schema": '{"type": "object"}',
        "example_input": '{"text": "hello"}',
        "release_notes": "First.",
        **changes,
    }


def test_a_version_is_added(signed_in: SignIn) -> None:
    agent = AgentFactory.create()
    response = signed_in(agent.creator).post(page(agent.slug, "version-new"), version_data())
    version = AgentVersion.objects.get()
    assert response["Location"] == page(agent.slug)
    assert (version.agent, version.number, version.image) == (agent, "1.0.0", image_of("new"))
    assert version.example_input == {"text": "hello"}


def test_the_next_version_starts_from_the_last(signed_in: SignIn) -> None:
    version = AgentVersionFactory.create(number="1.9.9")
    shown = text(signed_in(version.agent.creator).get(page(version.agent.slug, "version-new")))
    assert 'value="1.9.10"' in shown
    assert version.image in shown


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"input_schema": "{"}, "This is not JSON: line 1, column 2"),
        ({"input_schema": '{"a": NaN}'}, "This is not JSON: it has no NaN."),
        ({"input_schema": "[" * 100_000}, "This is nested too deeply."),
        ({"input_schema": '{"type": "string"}'}, "input_schema"),
        ({"output_schema": '{"type": "nonsense"}'}, "output_schema"),
        ({"example_input": '{"text": 5}'}, "At /text: This must be text."),
        ({"image": "agentnexus/x:latest"}, "Name the image by its digest"),
        ({"number": "1.0"}, "Enter three numbers with dots, for example 1.2.0."),
    ],
)
def test_a_refused_version_says_where_and_why(signed_in: SignIn, changes: dict[str, str], sentence: str) -> None:
    agent = AgentFactory.create()
    response = signed_in(agent.creator).post(page(agent.slug, "version-new"), version_data(**changes))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert 'aria-invalid="true"' in response.content.decode()
    assert not AgentVersion.objects.exists()


def test_withdrawing_a_version(signed_in: SignIn, stranger: User) -> None:
    agent = PublishedAgentFactory.create()
    address = reverse("marketplace:version-withdraw", args=[agent.slug, "1.0.0"])
    assert signed_in(stranger).post(address).status_code == 404
    client = signed_in(agent.creator)
    assert said(client.post(address)) == ["Version 1.0.0 is withdrawn."]
    assert agent.versions.get().status == AgentVersion.Status.WITHDRAWN
    assert client.post(reverse("marketplace:version-withdraw", args=[agent.slug, "9.9.9"])).status_code == 404
