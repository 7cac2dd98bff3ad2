"""What the parties of a purchase may do about its money: the table, the transactions, the texts of a dispute."""

import json
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone
from web3 import Web3

from chain.rpc import pool_of
from chain.tokens import NATIVE
from marketplace.models import Agent, Purchase, Statement
from marketplace.payouts.balances import balances
from marketplace.purchases.parties import Party, party_of, visible_to
from marketplace.purchases.settling import Action, allowed, refusal
from marketplace.purchases.states import Status
from tests.account_fixtures import ApiFor
from tests.chain_fixtures import Contracts
from tests.factories.marketplace import AgentPriceFactory, PurchaseFactory
from tests.marketplace.settling import RELEASABLE, Later, Platform, Send, account_of, fresh, with_gas
from tests.marketplace.test_catalogue_api import problem_of
from wallets.models import User

REASON = "The summary leaves out the second half of the text, every time I try."
HASH = "0x" + bytes(Web3.keccak(text=REASON)).hex()
POSTS = ("release", "refund", "dispute", "answer", "withdraw")
BODIES = {"dispute": {"reason": REASON}, "answer": {"text": REASON}}


def url(purchase: Purchase, what: str) -> str:
    return f"/api/v1/purchases/{purchase.pk}/{what}"


def post(client: Any, purchase: Purchase, what: str) -> Any:
    return client.post(url(purchase, what), BODIES.get(what, {}))


# --- the table

BUYER, CREATOR = Party.BUYER, Party.CREATOR
EXPECTED = {
    (Status.DEPOSITED, BUYER): {Action.RELEASE, Action.DISPUTE},
    (Status.ACTIVE, BUYER): {Action.RELEASE, Action.DISPUTE},
    (Status.DISPUTED, BUYER): {Action.RELEASE, Action.ANSWER},
    (Status.DEPOSITED, CREATOR): {Action.REFUND},
    (Status.ACTIVE, CREATOR): {Action.REFUND},
    (Status.DISPUTED, CREATOR): {Action.REFUND, Action.ANSWER},
}


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "party"), list(product(Status, [*Party, None])))
def test_who_may_do_what_in_every_state(status: Status, party: Party | None) -> None:
    purchase = PurchaseFactory.create(status=status, release_after=timezone.now() + timedelta(hours=1))
    may = set(allowed(purchase, party))
    assert may == (EXPECTED.get((status, party), set()) if party else set())
    for action in set(Action) - may:
        assert refusal(purchase, party, action).endswith(".")


@pytest.mark.django_db
def test_the_dispute_window_ends_at_its_second() -> None:
    end = timezone.now()
    purchase = PurchaseFactory.create(status="active", release_after=end)
    assert Action.DISPUTE in allowed(purchase, BUYER, end - timedelta(seconds=1))
    assert Action.DISPUTE not in allowed(purchase, BUYER, end)


# --- who sees what


@pytest.mark.django_db
def test_a_purchase_is_seen_by_its_parties_and_staff_with_the_permission(
    creator: User, buyer: User, stranger: User, staff: User, agent: Agent
) -> None:
    purchase = PurchaseFactory.create(agent=agent, buyer=buyer, deposited_at=timezone.now())
    helper = User.objects.create_user(email="helper@example.org", is_staff=True)
    helper.acts_as_staff = True
    people = {buyer: BUYER, creator: CREATOR, staff: Party.STAFF, stranger: None, helper: None}
    assert {user: party_of(user, purchase) for user in people} == people
    assert {user: visible_to(user).exists() for user in people} == {
        user: party is not None for user, party in people.items()
    }


@pytest.mark.django_db
def test_a_creator_does_not_see_offers_that_nobody_paid(creator: User, buyer: User, agent: Agent) -> None:
    PurchaseFactory.create(agent=agent, buyer=buyer)
    assert not visible_to(creator).exists()
    assert visible_to(buyer).exists()


@pytest.mark.parametrize("what", POSTS)
def test_strangers_and_visitors_get_nothing(api: ApiFor, bought: Purchase, stranger: User, what: str) -> None:
    assert post(api(None), bought, what).status_code == 401
    assert post(api(stranger), bought, what).status_code == 404
    assert api(stranger).get(url(bought, "timeline")).status_code == 404
    assert not Statement.objects.exists()


@pytest.mark.parametrize(
    ("who", "what"),
    [("creator", "release"), ("creator", "dispute"), ("buyer", "refund"), ("staff", "release"), ("staff", "refund")],
)
def test_the_other_party_and_staff_cannot_act(
    api: ApiFor, bought: Purchase, creator: User, rich_buyer: User, staff: User, who: str, what: str
) -> None:
    people = {"creator": creator, "buyer": rich_buyer, "staff": staff}
    problem = problem_of(post(api(people[who]), bought, what), 403, "not_yours")
    assert problem["detail"].startswith("Only the ")


# --- the transactions


def test_the_buyer_releases_with_the_call_of_the_answer(
    api: ApiFor, bought: Purchase, rich_buyer: User, platform: Platform
) -> None:
    body = post(api(rich_buyer), bought, "release").json()
    (step,) = body["transactions"]
    assert (body["signer"], step["kind"], step["chainId"], step["value"]) == (bought.payer, "release", 31337, "0x0")
    assert step["to"] == platform.contracts.escrow.address
    assert step["data"] == "0x" + platform.contracts.escrow.encode_release(bought.payment_id).data.hex()
    send_json(step, rich_buyer, platform)
    assert fresh(bought).status == "released"
    for what in ("release", "dispute"):
        assert problem_of(post(api(rich_buyer), bought, what), 409, "invalid_transition")["detail"] == (
            "This payment was released to the creator already."
        )


def test_the_creator_refunds_and_the_buyer_may_fetch_it(
    api: ApiFor, bought: Purchase, creator: User, rich_buyer: User, platform: Platform
) -> None:
    body = post(api(creator), bought, "refund").json()
    assert body["signer"] == bought.creator_address
    with_gas(creator, platform.contracts)
    send_json(body["transactions"][0], creator, platform)
    assert fresh(bought).status == "refunded"
    story = api(rich_buyer).get(url(bought, "timeline")).json()
    assert story["actions"] == ["withdraw"]
    send_json(post(api(rich_buyer), bought, "withdraw").json()["transactions"][0], rich_buyer, platform)
    story = api(rich_buyer).get(url(bought, "timeline")).json()
    assert (story["party"], story["actions"]) == ("buyer", [])
    assert [entry["kind"] for entry in story["entries"]] == ["paid", "active", "refunded", "withdrawn"]
    assert all(entry["transaction_hash"] for entry in story["entries"] if entry["kind"] != "active")


def test_a_dispute_keeps_its_reason_before_anything_is_signed(
    api: ApiFor, bought: Purchase, creator: User, rich_buyer: User, staff: User, platform: Platform
) -> None:
    # given
    client = api(rich_buyer)

    # when
    body = post(client, bought, "dispute").json()

    # then
    kept = Statement.objects.get()
    assert (kept.text, kept.hash, kept.side, kept.author) == (REASON, HASH, "buyer", rich_buyer)
    assert body["statement"]["hash"] == HASH
    (step,) = body["transactions"]
    assert step["data"] == "0x" + platform.contracts.escrow.encode_open_dispute(bought.payment_id, HASH).data.hex()

    # a double click is one statement
    assert post(client, bought, "dispute").json()["statement"]["id"] == str(kept.pk)
    assert Statement.objects.count() == 1

    # and until it is on the chain nobody but the buyer has a dispute to look at
    assert "statement" not in str(api(creator).get(url(bought, "timeline")).json())
    send_json(step, rich_buyer, platform)
    assert fresh(bought).status == "disputed"
    for reader in (rich_buyer, creator, staff):
        entries = api(reader).get(url(bought, "timeline")).json()["entries"]
        (opened,) = [entry for entry in entries if entry["kind"] == "disputed"]
        assert opened["quote"] == REASON


def test_the_reason_whose_hash_is_on_the_chain_counts(
    api: ApiFor, bought: Purchase, rich_buyer: User, platform: Platform
) -> None:
    client = api(rich_buyer)
    first = post(client, bought, "dispute").json()
    client.post(url(bought, "dispute"), {"reason": "Another reason that was never signed by the wallet."})
    send_json(first["transactions"][0], rich_buyer, platform)
    entries = client.get(url(bought, "timeline")).json()["entries"]
    assert [entry["quote"] for entry in entries if entry["quote"]] == [REASON]


def test_a_dispute_opened_elsewhere_says_that_its_reason_is_not_here(
    bought: Purchase, api: ApiFor, rich_buyer: User, platform: Platform, send: Send
) -> None:
    send(platform.contracts.escrow.encode_open_dispute(bought.payment_id, "0x" + "ab" * 32), account_of(rich_buyer))
    platform.listener.confirm()
    (opened,) = [
        entry for entry in api(rich_buyer).get(url(bought, "timeline")).json()["entries"] if entry["kind"] == "disputed"
    ]
    assert opened["text"] == "The reason was not given on this site; the chain has only its hash."


def test_both_answer_in_an_open_dispute_and_the_texts_stay(
    api: ApiFor, bought: Purchase, creator: User, rich_buyer: User, platform: Platform
) -> None:
    send_json(post(api(rich_buyer), bought, "dispute").json()["transactions"][0], rich_buyer, platform)
    answered = api(creator).post(url(bought, "answer"), {"text": "The text was longer than the agent's limit."})
    assert answered.status_code == 201
    assert answered.json()["side"] == "creator"
    api(rich_buyer).post(url(bought, "answer"), {"text": "The page does not mention any such limit."})
    entries = api(creator).get(url(bought, "timeline")).json()["entries"]
    assert [(entry["title"], entry["quote"]) for entry in entries if entry["kind"] == "statement"] == [
        ("The creator's answer", "The text was longer than the agent's limit."),
        ("The buyer adds", "The page does not mention any such limit."),
    ]


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "This field may not be blank."),
        ("short", "Enter at least 20 characters."),
        ("x" * 4001, "Enter at most 4,000 characters; these are 4,001."),
        ("A reason with a hidden \u202e turn.", "Remove the invisible control characters."),
    ],
)
def test_a_reason_that_is_refused_is_not_kept(
    api: ApiFor, bought: Purchase, rich_buyer: User, reason: str, sentence: str
) -> None:
    response = api(rich_buyer).post(url(bought, "dispute"), {"reason": reason})
    assert response.status_code in (400, 422)
    assert response.json()["errors"] == [{"pointer": "/reason", "message": sentence}]
    assert not Statement.objects.exists()


def test_nobody_floods_a_dispute(api: ApiFor, bought: Purchase, creator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.disputes.statements.MOST_STATEMENTS", 2)
    Purchase.objects.update(status="disputed")
    answers = [
        api(creator).post(url(bought, "answer"), {"text": f"Statement number {number} of the creator."}).status_code
        for number in range(3)
    ]
    assert answers == [201, 201, 422]


# --- at the same moment


def test_a_release_and_a_dispute_at_once_end_as_one_of_them(
    api: ApiFor, bought: Purchase, rich_buyer: User, platform: Platform, call_reverts: Any, contracts: Contracts
) -> None:
    """Both transactions are prepared; the second finds the first's outcome, with an error that the page can name."""
    release = post(api(rich_buyer), bought, "release").json()["transactions"][0]
    post(api(rich_buyer), bought, "dispute")
    send_json(release, rich_buyer, platform)
    late = contracts.escrow.encode_open_dispute(bought.payment_id, HASH)
    assert call_reverts(late, account_of(rich_buyer)).startswith("WrongStatus(")
    assert fresh(bought).status == "released"


def test_a_refund_by_the_creator_ends_a_dispute(
    api: ApiFor, bought: Purchase, creator: User, rich_buyer: User, platform: Platform
) -> None:
    send_json(post(api(rich_buyer), bought, "dispute").json()["transactions"][0], rich_buyer, platform)
    with_gas(creator, platform.contracts)
    send_json(post(api(creator), bought, "refund").json()["transactions"][0], creator, platform)
    assert fresh(bought).status == "refunded"
    kinds = [entry["kind"] for entry in api(rich_buyer).get(url(bought, "timeline")).json()["entries"]]
    assert kinds == ["paid", "active", "disputed", "refunded", "withdrawal"]


# --- what the creator can withdraw


def test_balances_follow_a_sale_from_escrow_to_the_wallet(
    api: ApiFor, bought: Purchase, creator: User, platform: Platform, later: Later
) -> None:
    share = 10**16 * 9_750 // 10_000
    client = api(creator)
    account = bought.creator_address

    def figures() -> dict[str, str]:
        (row,) = client.get("/api/v1/payouts").json()["balances"]
        assert (row["account"], row["token"]["symbol"], row["network"]) == (account, "ETH", "local")
        return {name: row[name] for name in ("held", "withdrawable", "withdrawn")}

    assert figures() == {"held": str(share), "withdrawable": "0", "withdrawn": "0"}
    asked = {"network": "local", "token": "ETH", "account": account}
    problem_of(client.post("/api/v1/payouts/withdraw", asked), 409, "nothing_owed")

    later(RELEASABLE)
    platform.work()
    assert figures() == {"held": "0", "withdrawable": str(share), "withdrawn": "0"}

    (step,) = client.post("/api/v1/payouts/withdraw", asked).json()["transactions"]
    assert (step["kind"], step["chainId"]) == ("withdraw", 31337)
    with_gas(creator, platform.contracts)
    send_json(step, creator, platform)
    assert figures() == {"held": "0", "withdrawable": "0", "withdrawn": str(share)}
    (payout,) = client.get("/api/v1/payouts").json()["payouts"]
    assert (payout["account"], payout["amount"], payout["confirmed"]) == (account, str(share), True)
    assert platform.contracts.escrow.withdrawable(NATIVE, account) == 0


def test_the_ledger_agrees_with_the_escrow_for_every_account(
    agent: Agent, bought: Purchase, rich_buyer: User, creator: User, platform: Platform, later: Later, send: Send
) -> None:
    """Fees included: the credit of the fee recipient is known from who was named when."""
    contracts = platform.contracts
    AgentPriceFactory.create(agent=agent, token=contracts.usdc.address, amount=7)
    later(RELEASABLE)
    platform.work()
    accounts = [bought.creator_address, bought.payer or "", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"]
    found = {(row.account, row.token): row.withdrawable for row in balances(accounts)}
    assert len(found) == 2
    for (account, token), amount in found.items():
        assert amount == contracts.escrow.withdrawable(token, account)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"network": "nowhere"}, 404, "unknown_network"),
        ({"token": "DOGE"}, 422, "unknown_token"),
        ({"account": "0x" + "11" * 20}, 403, "not_yours"),
        ({"account": "0x12"}, 400, "invalid"),
    ],
)
def test_withdrawing_what_is_not_ones_own_is_refused(
    api: ApiFor, contracts: Contracts, creator: User, changes: dict[str, str], status: int, code: str
) -> None:
    asked = {"network": "local", "token": "ETH", "account": creator.primary_address, **changes}
    problem_of(api(creator).post("/api/v1/payouts/withdraw", asked), status, code)


def test_sales_are_the_creators_own_and_paid(
    api: ApiFor, bought: Purchase, creator: User, rich_buyer: User, stranger: User
) -> None:
    PurchaseFactory.create(agent=bought.agent, buyer=stranger)
    assert [row["id"] for row in api(creator).get("/api/v1/sales").json()["results"]] == [str(bought.pk)]
    assert api(rich_buyer).get("/api/v1/sales").json()["results"] == []
    assert api(None).get("/api/v1/sales").status_code == 401


def send_json(step: dict[str, Any], user: User, platform: Platform) -> None:
    """Send a transaction as the API gave it, and read it with its confirmations."""
    account = account_of(user)
    pool = pool_of(platform.contracts.network)
    signed = account.sign_transaction(
        {
            "chainId": step["chainId"],
            "to": step["to"],
            "data": step["data"],
            "value": int(step["value"], 16),
            "nonce": int(pool.call("eth_getTransactionCount", account.address, "latest"), 16),
            "gas": 500_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 1,
        }
    )
    hash_ = pool.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    platform.listener.confirm()
    receipt = pool.call("eth_getTransactionReceipt", hash_)
    assert receipt["status"] == "0x1", json.dumps(receipt)
