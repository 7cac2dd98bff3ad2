"""Paying USDC with one signature and one transaction, against the real token and escrow."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount

from chain.bindings import authorization
from chain.bindings.authorization import signing_domain
from chain.bindings.eip712 import Domain
from chain.bindings.erc20 import Erc20
from chain.rpc import pool_of
from chain.tokens import get_token
from marketplace.models import Agent, Purchase
from tests.account_fixtures import ApiFor
from tests.chain_fixtures import Contracts, TestListener, send_call
from tests.factories.marketplace import AgentPriceFactory, PurchaseFactory
from tests.marketplace.settling import account_of, fresh
from tests.marketplace.test_catalogue_api import problem_of
from wallets.models import User

URL = "/api/v1/purchases"
PRICE = 5_000_000


@pytest.fixture
def asked(api: ApiFor, agent: Agent, rich_buyer: User, contracts: Contracts) -> dict[str, Any]:
    """The answer to a buyer who wants to pay 5 USDC."""
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=PRICE)
    body = {"agent": agent.slug, "token": "USDC", "payer": rich_buyer.primary_address}
    answer: dict[str, Any] = api(rich_buyer).post(URL, body).json()
    return answer


def signed(account: LocalAccount, typed_data: dict[str, Any]) -> str:
    return "0x" + bytes(account.sign_message(encode_typed_data(full_message=typed_data)).signature).hex()


def hand_in(client: Any, purchase: dict[str, Any], payer: str, signature: str) -> Any:
    return client.post(f"{URL}/{purchase['id']}/authorization", {"payer": payer, "signature": signature})


def send(step: dict[str, Any], account: LocalAccount, contracts: Contracts) -> str:
    """Send the call of an answer; the receipt's status."""
    pool = pool_of(contracts.network)
    transaction = {
        "chainId": step["chainId"],
        "to": step["to"],
        "data": step["data"],
        "value": int(step["value"], 16),
        "nonce": int(pool.call("eth_getTransactionCount", account.address, "latest"), 16),
        "gas": 500_000,
        "maxFeePerGas": 3 * 10**9,
        "maxPriorityFeePerGas": 1,
    }
    raw = account.sign_transaction(transaction).raw_transaction
    hash_ = pool.call("eth_sendRawTransaction", "0x" + bytes(raw).hex())
    pool.call("anvil_mine", "0x1")
    return str(pool.call("eth_getTransactionReceipt", hash_)["status"])


def test_the_answer_holds_what_the_token_checks(asked: dict[str, Any], rich_buyer: User, contracts: Contracts) -> None:
    typed = asked["authorization"]
    purchase = Purchase.objects.get()
    assert typed["domain"] == {
        "name": "USD Coin",
        "version": "2",
        "chainId": 31337,
        "verifyingContract": contracts.usdc.address,
    }
    assert typed["primaryType"] == "ReceiveWithAuthorization"
    assert typed["message"] == {
        "from": rich_buyer.primary_address,
        "to": contracts.escrow.address,
        "value": str(PRICE),
        "validAfter": "0",
        "validBefore": str(int(purchase.valid_until.timestamp()) + 1),
        "nonce": purchase.payment_id,
    }


def test_one_signature_and_one_transaction_buy_the_access(
    api: ApiFor, asked: dict[str, Any], rich_buyer: User, contracts: Contracts, listener: TestListener
) -> None:
    # given
    account = account_of(rich_buyer)
    assert [step["kind"] for step in asked["transactions"]] == ["approve", "deposit"]

    # when
    answer = hand_in(api(rich_buyer), asked, account.address, signed(account, asked["authorization"]))

    # then
    assert answer.status_code == 200
    (step,) = answer.json()["transactions"]
    assert (step["kind"], step["to"], step["value"]) == ("deposit", contracts.escrow.address, "0x0")
    assert send(step, account, contracts) == "0x1"
    listener.confirm()
    paid = fresh(Purchase.objects.get())
    assert (paid.status, paid.payer, paid.amount) == ("active", account.address, PRICE)
    token = Erc20(contracts.network, contracts.usdc)
    assert token.balance_of(account.address) == 10**9 - PRICE
    assert token.allowance(account.address, contracts.escrow.address) == 0
    problem_of(hand_in(api(rich_buyer), asked, account.address, "0x" + "11" * 65), 409, "quote_over")
    assert api(rich_buyer).get(f"{URL}/{asked['id']}").json()["authorization"] is None


def test_anybody_may_send_it_and_it_pays_for_the_buyer(
    api: ApiFor,
    asked: dict[str, Any],
    rich_buyer: User,
    contracts: Contracts,
    listener: TestListener,
    funded_wallet: Any,
) -> None:
    account, friend = account_of(rich_buyer), funded_wallet(usdc=0)
    answer = hand_in(api(rich_buyer), asked, account.address, signed(account, asked["authorization"]))
    assert send(answer.json()["transactions"][0], friend, contracts) == "0x1"
    listener.confirm()
    assert fresh(Purchase.objects.get()).payer == account.address


@pytest.mark.parametrize("change", ["other_signer", "other_amount", "other_payment", "rubbish", "short"])
def test_a_signature_that_pays_nothing_is_refused(
    api: ApiFor, asked: dict[str, Any], rich_buyer: User, change: str
) -> None:
    account = account_of(rich_buyer)
    typed = asked["authorization"]
    changed = {
        "other_amount": {**typed, "message": {**typed["message"], "value": "1"}},
        "other_payment": {**typed, "message": {**typed["message"], "nonce": "0x" + "ab" * 32}},
    }.get(change, typed)
    signature = signed(Account.create() if change == "other_signer" else account, changed)
    signature = {"rubbish": "0x" + "11" * 65, "short": "0x1234"}.get(change, signature)
    problem = problem_of(hand_in(api(rich_buyer), asked, account.address, signature), 422, "invalid_authorization")
    assert problem["errors"][0]["pointer"] == "/signature"


def test_a_payer_without_the_money_is_told_so(
    api: ApiFor, asked: dict[str, Any], rich_buyer: User, contracts: Contracts
) -> None:
    account = account_of(rich_buyer)
    everything = Erc20(contracts.network, contracts.usdc).contract.call("transfer", "0x" + "11" * 20, 10**9)
    send_call(contracts.network, everything, account)
    signature = signed(account, asked["authorization"])
    problem_of(hand_in(api(rich_buyer), asked, account.address, signature), 422, "insufficient_balance")


def test_a_quote_for_another_wallet_is_not_paid_by_this_one(
    api: ApiFor, asked: dict[str, Any], rich_buyer: User, funded_wallet: Any
) -> None:
    other = funded_wallet()
    typed = asked["authorization"]
    signature = signed(other, {**typed, "message": {**typed["message"], "from": other.address}})
    problem = problem_of(hand_in(api(rich_buyer), asked, other.address, signature), 422, "invalid_authorization")
    assert problem["errors"][0]["pointer"] == "/payer"


def test_a_quote_that_ran_out_takes_no_signature(
    api: ApiFor, asked: dict[str, Any], rich_buyer: User, mine: Any, chain_time: Any
) -> None:
    """Also when only the chain's clock is beyond it."""
    account = account_of(rich_buyer)
    purchase = Purchase.objects.get()
    mine(1, seconds=int(purchase.valid_until.timestamp()) - chain_time() + 5)
    answer = hand_in(api(rich_buyer), asked, account.address, signed(account, asked["authorization"]))
    problem_of(answer, 409, "quote_over")


@pytest.mark.parametrize("who", ["anonymous", "stranger", "creator"])
def test_only_the_buyer_hands_in_a_signature(
    api: ApiFor, asked: dict[str, Any], rich_buyer: User, stranger: User, creator: User, who: str
) -> None:
    client = api({"anonymous": None, "stranger": stranger, "creator": creator}[who])
    answer = hand_in(client, asked, rich_buyer.primary_address or "", "0x" + "11" * 65)
    assert answer.status_code == (401 if who == "anonymous" else 404)


def test_ether_has_nothing_to_sign(api: ApiFor, agent: Agent, rich_buyer: User, contracts: Contracts) -> None:
    body = {"agent": agent.slug, "token": "ETH", "payer": rich_buyer.primary_address}
    asked = api(rich_buyer).post(URL, body).json()
    assert asked["authorization"] is None
    answer = hand_in(api(rich_buyer), asked, rich_buyer.primary_address or "", "0x" + "11" * 65)
    problem_of(answer, 422, "invalid_authorization")


def test_without_a_payer_there_is_nothing_to_sign_and_nobody_is_asked(
    api: ApiFor, agent: Agent, rich_buyer: User, contracts: Contracts
) -> None:
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=PRICE)
    asked = api(rich_buyer).post(URL, {"agent": agent.slug, "token": "USDC"}).json()
    assert asked["authorization"] is None
    again = api(rich_buyer).get(f"{URL}/{asked['id']}?payer={rich_buyer.primary_address}").json()
    assert again["authorization"]["message"]["from"] == rich_buyer.primary_address


@pytest.mark.django_db
def test_a_malformed_request_is_named(api: ApiFor, buyer: User) -> None:
    purchase = PurchaseFactory.create(buyer=buyer)
    answer = api(buyer).post(f"{URL}/{purchase.pk}/authorization", {"payer": "0x1"})
    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/payer", "/signature"}


def test_a_token_whose_domain_does_not_fit_its_separator_counts_as_one_without(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = get_token(contracts.network, "USDC")
    monkeypatch.setattr(authorization, "_known", {})
    assert signing_domain(contracts.network, token) is not None
    monkeypatch.setattr(authorization, "_known", {})
    monkeypatch.setattr(Domain, "separator", lambda self: bytes(32))
    assert signing_domain(contracts.network, token) is None
    assert signing_domain(contracts.network, get_token(contracts.network, "ETH")) is None
