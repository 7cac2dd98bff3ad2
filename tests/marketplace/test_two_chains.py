"""Two chains at once: sold, paid, indexed, settled and withdrawn on each, by one code and without mixing them up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from chain.bindings.escrow import Escrow
from chain.models import Cursor, OutboxTransaction
from chain.networks import Network, get_network, network_by_chain_id
from chain.rpc import pool_of
from chain.tokens import NATIVE, get_token
from deploy.local.engines import Anvil
from marketplace.models import Agent, Withdrawal
from marketplace.payouts.balances import balances
from marketplace.payouts.exits import settle
from marketplace.purchases.access import has_access
from marketplace.purchases.operations import deposit_calls, quote
from tests.account_fixtures import ApiFor
from tests.chain.test_outbox import Sender
from tests.chain_fixtures import Contracts, TestListener, mine_blocks, send_call
from tests.factories.marketplace import AgentPriceFactory, PublishedAgentFactory
from tests.marketplace.settling import RELEASABLE, account_of, fresh
from tests.pages import SignIn, text
from wallets.models import User

CHAIN_ID = 31338


@pytest.fixture
def second(contracts: Contracts, tmp_path: Path, settings: Settings) -> Iterator[Network]:
    """Another chain with another id, with our contracts on it."""
    engine = Anvil(tmp_path, chain_id=CHAIN_ID)
    engine.start()
    local = settings.NETWORKS["local"]
    settings.NETWORKS = {
        **settings.NETWORKS,
        "second": {**local, "name": "Second chain", "chain_id": CHAIN_ID, "rpc_urls": [engine.url], "is_local": True},
    }
    try:
        call_command("deploy_contracts", "second", verbosity=0)
        OutboxTransaction.objects.all().delete()
        yield get_network("second")
    finally:
        engine.stop()


@pytest.fixture
def twin(agent: Agent, second: Network) -> Agent:
    """The same creator's other agent, sold on the second chain for 0.02 ETH or 3 USDC."""
    made: Agent = PublishedAgentFactory.create(
        creator=agent.creator,
        category=agent.category,
        name="Twin",
        slug="twin",
        network="second",
        price__amount=2 * 10**16,
    )
    AgentPriceFactory.create(agent=made, token=get_token(second, "USDC").address, amount=3_000_000)
    return made


def test_a_purchase_on_each_of_two_chains_from_quote_to_payout(
    api: ApiFor, agent: Agent, twin: Agent, rich_buyer: User, creator: User, contracts: Contracts, second: Network
) -> None:
    # given one buyer with money on both chains
    networks = {"local": contracts.network, "second": second}
    listeners = {slug: TestListener(network) for slug, network in networks.items()}
    account = account_of(rich_buyer)
    pool_of(second).call("anvil_setBalance", account.address, hex(10**19))

    # when both are bought
    purchases = {}
    for sold in (agent, twin):
        network = networks[sold.network]
        purchase = purchases[sold.network] = quote(rich_buyer, sold, "ETH", payer=account.address)
        (step,) = deposit_calls(purchase, account.address)
        assert network_by_chain_id(step.call.chain_id) == network
        assert step.call.to == Escrow.for_network(network).address
        send_call(network, step.call, account)

    # then each is read by its own listener, and by no other
    listeners["local"].confirm()
    assert [fresh(purchases[slug]).status for slug in networks] == ["active", "quoted"]
    assert (has_access(rich_buyer, agent).allowed, has_access(rich_buyer, twin).allowed) == (True, False)
    listeners["second"].confirm()
    assert [fresh(purchases[slug]).status for slug in networks] == ["active", "active"]
    assert has_access(rich_buyer, twin).allowed
    assert {cursor.network for cursor in Cursor.objects.all()} == set(networks)

    # and when time passes on the second chain only, only its payment is released, by the relayer's account there
    mine_blocks(second, 1, seconds=RELEASABLE)
    for _ in range(2):
        settle()
        for slug, network in networks.items():
            Sender(network).step()
            listeners[slug].confirm()
    assert [fresh(purchases[slug]).status for slug in networks] == ["active", "released"]
    assert set(OutboxTransaction.objects.values_list("network", "purpose")) == {("second", "Release to the creator")}

    # and the creator's balances are told apart
    paid_to = creator.primary_address or ""
    found = {row.network: (row.held, row.withdrawable) for row in balances([paid_to])}
    assert found == {"local": (10**16 * 975 // 1000, 0), "second": (0, 2 * 10**16 * 975 // 1000)}
    client = api(creator)
    refused = client.post("/api/v1/payouts/withdraw", {"network": "local", "token": "ETH", "account": paid_to})
    assert refused.json()["code"] == "nothing_owed"
    given = client.post("/api/v1/payouts/withdraw", {"network": "second", "token": "ETH", "account": paid_to})
    (call,) = given.json()["transactions"]
    assert call["chainId"] == CHAIN_ID
    send_call(second, Escrow.for_network(second).encode_withdraw(NATIVE, paid_to), account)
    listeners["second"].confirm()
    assert [(row.network, row.amount) for row in Withdrawal.objects.all()] == [("second", 2 * 10**16 * 975 // 1000)]


def test_pages_name_the_chain_an_agent_is_sold_on(
    client: Client, signed_in: SignIn, agent: Agent, twin: Agent, rich_buyer: User, second: Network
) -> None:
    page = text(client.get("/agents/twin/"))
    assert "0.02 ETH" in page
    assert "3 USDC" in page
    assert "Second chain" in page
    order = text(signed_in(rich_buyer).get("/agents/twin/buy/"))
    assert f'data-chain-id="{CHAIN_ID}"' in order
    assert "Second chain" in order
    assert "Second chain" not in text(client.get(f"/agents/{agent.slug}/"))


def test_the_catalogue_is_of_one_chain_at_a_time(
    client: Client, api: ApiFor, agent: Agent, twin: Agent, second: Network
) -> None:
    first, other = text(client.get("/")), text(client.get("/?network=second"))
    assert (agent.name in first, "Twin" in first) == (True, False)
    assert (agent.name in other, "Twin" in other) == (False, True)
    assert "On Second chain" in first
    assert "or 3 USDC" in other
    listed = api(None).get("/api/v1/agents?network=second").json()["results"]
    assert [row["slug"] for row in listed] == ["twin"]
    assert api(None).get("/api/v1/agents?network=nowhere").status_code == 404


def test_a_creator_chooses_the_chain_and_prices_in_its_tokens(
    signed_in: SignIn, creator: User, agent: Agent, second: Network
) -> None:
    browser = signed_in(creator)
    page = text(browser.get("/agents/new/"))
    assert "?network=second" in page
    values = {
        "name": "Sold elsewhere",
        "tagline": "Does one thing on another chain.",
        "description": "What it does.",
        "category": agent.category_id,
        "access_duration": "86400",
        "price_ETH": "0.5",
        "price_USDC": "7",
    }
    assert browser.post("/agents/new/?network=second", values).status_code == 302
    made = Agent.objects.get(name="Sold elsewhere")
    assert made.network == "second"
    prices = {price.token: price.amount for price in made.prices.all()}
    assert prices == {NATIVE: 5 * 10**17, get_token(second, "USDC").address: 7_000_000}
    assert browser.get("/agents/new/?network=nowhere").status_code == 404
