"""Purchases over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone
from eth_account.signers.local import LocalAccount
from pytest_django import DjangoAssertNumQueries

from chain.rpc import pool_of
from chain.tokens import NATIVE
from marketplace.api import throttles
from marketplace.models import Agent, Purchase
from tests.account_fixtures import ApiFor
from tests.chain_fixtures import Contracts, TestListener
from tests.factories.marketplace import AgentPriceFactory, PublishedAgentFactory, PurchaseFactory, grant_access
from tests.marketplace.test_catalogue_api import problem_of
from wallets.models import User
from wallets.rates import Rate

ASK = {"agent": "text-summariser", "token": "ETH"}
URL = "/api/v1/purchases"


def test_answer_holds_terms_signature_and_the_ready_call(
    api: ApiFor, agent: Agent, rich_buyer: User, contracts: Contracts
) -> None:
    buyer = rich_buyer
    response = api(buyer).post(URL, ASK | {"payer": buyer.primary_address})
    assert response.status_code == 201
    purchase = Purchase.objects.get()
    valid_until = int(purchase.valid_until.timestamp())
    body = response.json()
    (step,) = body.pop("transactions")
    assert body == {
        "id": str(purchase.pk),
        "status": "quoted",
        "agent": {
            "id": str(agent.pk),
            "slug": "text-summariser",
            "name": "Text Summariser",
            "onchain_id": agent.onchain_id,
        },
        "network": "local",
        "chain_id": 31337,
        "confirmations": contracts.network.confirmations,
        "payment_id": purchase.payment_id,
        "token": {"symbol": "ETH", "name": "Ether", "address": NATIVE, "decimals": 18},
        "amount": "10000000000000000",
        "amount_display": "0.01 ETH",
        "fee_bps": settings.PLATFORM_FEE_BPS,
        "access_duration": 0,
        "creator_address": agent.creator.primary_address,
        "recipient": buyer.primary_address,
        "bound_payer": buyer.primary_address,
        "valid_until": purchase.valid_until.isoformat().replace("+00:00", "Z"),
        "payer": None,
        "deposit_tx_hash": None,
        "deposit_block": None,
        "deposit_url": "",
        "release_after": None,
        "expires_at": None,
        "refunded_amount": "0",
        "created_at": purchase.created_at.isoformat().replace("+00:00", "Z"),
        "deposited_at": None,
        "activated_at": None,
        "closed_at": None,
        "quote": {
            "agentId": str(agent.onchain_id),
            "creator": agent.creator.primary_address,
            "buyer": buyer.primary_address,
            "recipient": buyer.primary_address,
            "token": NATIVE,
            "amount": "10000000000000000",
            "accessDuration": "0",
            "validUntil": str(valid_until),
            "salt": purchase.salt,
        },
        "signature": purchase.signature,
        "authorization": None,
        "user_operation": None,
    }
    assert (step["kind"], step["chainId"], step["to"], step["value"]) == (
        "deposit",
        31337,
        contracts.escrow.address,
        hex(10**16),
    )


def test_call_of_the_answer_buys_the_access(
    api: ApiFor, agent: Agent, rich_buyer: User, contracts: Contracts, listener: TestListener
) -> None:
    account: LocalAccount = rich_buyer.account  # type: ignore[attr-defined]
    client = api(rich_buyer)
    body = client.post(URL, ASK | {"payer": account.address}).json()
    (step,) = body["transactions"]
    pool = pool_of(contracts.network)
    signed = account.sign_transaction(
        {
            "chainId": step["chainId"],
            "to": step["to"],
            "data": step["data"],
            "value": int(step["value"], 16),
            "nonce": 0,
            "gas": 500_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 1,
        }
    )
    transaction_hash = pool.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    listener.confirm()
    shown = client.get(f"{URL}/{body['id']}").json()
    assert (shown["status"], shown["deposit_tx_hash"], shown["payer"]) == ("active", transaction_hash, account.address)
    assert shown["transactions"] == []
    assert shown["activated_at"] is not None


def test_usdc_answer_holds_the_approval_first(
    api: ApiFor, agent: Agent, rich_buyer: User, contracts: Contracts
) -> None:
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=5_000_000)
    client = api(rich_buyer)
    body = client.post(URL, {"agent": agent.slug, "token": "USDC", "payer": rich_buyer.primary_address}).json()
    assert [(step["kind"], step["to"], step["value"]) for step in body["transactions"]] == [
        ("approve", contracts.usdc.address, "0x0"),
        ("deposit", contracts.escrow.address, "0x0"),
    ]
    assert (body["amount"], body["amount_display"]) == ("5000000", "5 USDC")
    again = client.get(f"{URL}/{body['id']}?payer={rich_buyer.primary_address}").json()
    assert again["transactions"] == body["transactions"]


def test_same_key_gives_the_same_purchase_and_another_body_a_conflict(
    api: ApiFor, agent: Agent, buyer: User, contracts: Contracts
) -> None:
    client = api(buyer)
    first = client.post(URL, ASK, headers={"Idempotency-Key": "order-1"})
    again = client.post(URL, ASK, headers={"Idempotency-Key": "order-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    PublishedAgentFactory.create(slug="other")
    conflict = client.post(URL, ASK | {"agent": "other"}, headers={"Idempotency-Key": "order-1"})
    problem_of(conflict, 409, "idempotency_conflict")
    assert Purchase.objects.count() == 1


@pytest.mark.parametrize("key", ["a b", "k" * 101, "ü"])
def test_malformed_key_is_refused(api: ApiFor, agent: Agent, buyer: User, contracts: Contracts, key: str) -> None:
    body = problem_of(api(buyer).post(URL, ASK, headers={"Idempotency-Key": key}), 422, "invalid_purchase")
    assert body["errors"][0]["pointer"] == "/idempotency_key"


@pytest.mark.parametrize(
    ("changes", "status", "pointer"),
    [
        ({"agent": None}, 400, "/agent"),
        ({"agent": "a\x00"}, 400, "/agent"),
        ({"token": None}, 400, "/token"),
        ({"token": "x" * 65}, 400, "/token"),
        ({"payer": "0x12"}, 400, "/payer"),
        ({"payer": 5}, 400, "/payer"),
        ({"recipient": "vitalik.eth"}, 400, "/recipient"),
        ({"recipient": "0x" + "11" * 20}, 422, "/recipient"),
    ],
)
def test_malformed_request_is_pointed_at(
    api: ApiFor, agent: Agent, buyer: User, contracts: Contracts, changes: dict[str, Any], status: int, pointer: str
) -> None:
    response = api(buyer).post(URL, ASK | changes)
    assert response.status_code == status
    assert {error["pointer"] for error in response.json()["errors"]} == {pointer}
    assert not Purchase.objects.exists()


def test_insufficient_balance_says_needed_and_available(
    api: ApiFor, agent: Agent, buyer: User, contracts: Contracts
) -> None:
    body = problem_of(api(buyer).post(URL, ASK | {"payer": buyer.primary_address}), 422, "insufficient_balance")
    assert body["errors"] == [
        {"pointer": "/needed", "message": "10000000000000000"},
        {"pointer": "/available", "message": "0"},
    ]
    assert not Purchase.objects.exists()


def test_refusals_have_their_codes(api: ApiFor, agent: Agent, buyer: User, creator: User, contracts: Contracts) -> None:
    problem_of(api(creator).post(URL, ASK), 409, "own_agent")
    problem_of(api(buyer).post(URL, ASK | {"token": "DOGE"}), 422, "unknown_token")
    problem_of(api(buyer).post(URL, ASK | {"token": "USDC"}), 409, "not_for_sale")
    problem_of(api(buyer).post(URL, ASK | {"agent": "none"}), 404, "not_found")
    grant_access(buyer, agent)
    problem_of(api(buyer).post(URL, ASK), 409, "already_owned")
    Agent.objects.update(status="draft")
    problem_of(api(buyer).post(URL, ASK), 404, "not_found")
    assert not Purchase.objects.exists()


@pytest.mark.django_db
def test_without_contracts_the_answer_says_what_to_do(api: ApiFor, agent: Agent, buyer: User) -> None:
    body = problem_of(api(buyer).post(URL, ASK), 503, "not_deployed")
    assert "manage.py deploy_contracts local" in body["detail"]


def test_only_the_buyer_sees_a_purchase(
    api: ApiFor, agent: Agent, buyer: User, stranger: User, staff: User, creator: User, contracts: Contracts
) -> None:
    purchase = PurchaseFactory.create(agent=agent, buyer=buyer)
    url = f"{URL}/{purchase.pk}"
    assert api(buyer).get(url).status_code == 200
    for other in (stranger, staff, creator):
        problem_of(api(other).get(url), 404, "not_found")
        assert api(other).get(URL).json()["results"] == []
    for method, address in (("get", url), ("get", URL), ("post", URL)):
        problem_of(getattr(api(None), method)(address, ASK), 401, "not_authenticated")


def test_list_is_own_purchases_newest_first_in_pages(api: ApiFor, agent: Agent, buyer: User) -> None:
    made = [PurchaseFactory.create(agent=agent, buyer=buyer) for _ in range(5)]
    first = api(buyer).get(f"{URL}?page_size=3").json()
    second = api(buyer).get(first["next"]).json()
    ids = [found["id"] for found in first["results"] + second["results"]]
    assert ids == [str(purchase.pk) for purchase in reversed(made)]
    assert "signature" not in first["results"][0]


def test_list_costs_a_fixed_number_of_queries(
    api: ApiFor, buyer: User, agent: Agent, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = api(buyer)
    PurchaseFactory.create_batch(2, agent=agent, buyer=buyer)

    def read(count: int) -> None:
        assert len(client.get(URL).json()["results"]) == count

    read(2)
    with django_assert_num_queries(3):  # the token's user; purchases with their agents; tokens
        read(2)
    PurchaseFactory.create_batch(10, agent=agent, buyer=buyer)
    with django_assert_num_queries(3):
        read(12)


def test_quote_that_ran_out_has_nothing_left_to_send(
    api: ApiFor, agent: Agent, buyer: User, contracts: Contracts
) -> None:
    purchase = PurchaseFactory.create(agent=agent, buyer=buyer, valid_until=timezone.now() - timedelta(seconds=1))
    body = api(buyer).get(f"{URL}/{purchase.pk}").json()
    assert (body["status"], body["transactions"]) == ("quoted", [])


def test_malformed_payer_of_a_read_is_pointed_at(api: ApiFor, agent: Agent, buyer: User, contracts: Contracts) -> None:
    purchase = PurchaseFactory.create(agent=agent, buyer=buyer)
    body = problem_of(api(buyer).get(f"{URL}/{purchase.pk}?payer=me"), 422, "invalid_purchase")
    assert body["errors"][0]["pointer"] == "/payer"


def test_purchase_on_a_network_no_longer_configured_is_still_shown(api: ApiFor, agent: Agent, buyer: User) -> None:
    purchase = PurchaseFactory.create(agent=agent, buyer=buyer, network="gone", status="released")
    body = api(buyer).get(f"{URL}/{purchase.pk}").json()
    assert (body["network"], body["chain_id"], body["amount"]) == ("gone", None, "10000000000000000")


def test_quotes_are_limited(
    api: ApiFor, agent: Agent, buyer: User, stranger: User, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttles.QuoteThrottle, "rate", Rate("test-quote", limit=2, seconds=60))
    client = api(buyer)
    answers = [client.post(URL, ASK) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    problem_of(answers[2], 429, "throttled")
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert api(stranger).post(URL, ASK).status_code == 201


def test_without_redis_quotes_are_refused_and_reading_goes_on(
    api: ApiFor, agent: Agent, buyer: User, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> Any:
        raise redis.ConnectionError("refused")

    client = api(buyer)
    monkeypatch.setattr("wallets.rates.get_redis_connection", away)
    response = client.post(URL, ASK)
    assert response.status_code == 503
    assert not Purchase.objects.exists()
    assert client.get(URL).status_code == 200
    assert client.get("/api/v1/agents").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_posts_with_one_key_make_one_purchase(
    api: ApiFor, agent: Agent, buyer: User, contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttles.QuoteThrottle, "rate", Rate("test-parallel", limit=100, seconds=60))

    def ask(_: int) -> tuple[int, str]:
        try:
            response = api(buyer).post(URL, ASK, headers={"Idempotency-Key": "once"})
            return response.status_code, response.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(ask, range(50)))
    assert answers == {(201, str(Purchase.objects.get().pk))}
