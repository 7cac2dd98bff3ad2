"""The demo wallet: play money and a way to the node, on the local chain only."""

import json
import runpy
from typing import Any

import pytest
from django.test import Client
from eth_account import Account
from pytest_django.fixtures import Settings

from chain.bindings.erc20 import Erc20
from tests.chain_fixtures import Contracts
from wallets.demo_wallet import node, views
from wallets.rates import Rate

FUND = "/demo-wallet/fund"
RPC = "/demo-wallet/rpc"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests come from one address; those about the limits set their own."""
    monkeypatch.setattr(views, "FUND_RATE", Rate("test-demo-fund-unlimited", 1_000_000, 60))


def post(path: str, body: Any, client: Client | None = None, **extra: Any) -> Any:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return (client or Client()).post(path, data, content_type="application/json", **extra)


def call(method: str, *params: Any) -> Any:
    return post(RPC, {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})


def test_a_burner_gets_ten_ether_and_a_thousand_usdc_once(contracts: Contracts) -> None:
    # given an address with nothing
    address = Account.create().address
    # when it is funded, as a wallet spells it
    response = post(FUND, {"address": address.lower()})
    # then it has exactly that
    assert response.status_code == 200
    body = response.json()
    assert (body["address"], body["eth"], body["usdc"]) == (address, str(10 * 10**18), str(1_000 * 10**6))
    assert body["transaction"].startswith("0x")
    assert contracts.web3.eth.get_balance(address) == 10 * 10**18
    assert Erc20(contracts.network, contracts.usdc).balance_of(address) == 1_000 * 10**6
    # and asking again gives no more
    assert post(FUND, {"address": address}).json()["transaction"] is None
    assert contracts.web3.eth.get_balance(address) == 10 * 10**18
    assert Erc20(contracts.network, contracts.usdc).balance_of(address) == 1_000 * 10**6


@pytest.mark.parametrize("body", [{}, {"address": None}, {"address": 7}, {"address": "0x12"}, [], "not JSON", ""])
def test_what_is_no_address_is_not_funded(body: Any) -> None:
    response = post(FUND, body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_address")
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", [FUND, RPC])
def test_only_posts_with_csrf_token_are_taken(path: str) -> None:
    assert Client().get(path).status_code == 405
    assert post(path, {}, Client(enforce_csrf_checks=True)).status_code == 403


def test_funding_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "FUND_RATE", Rate("test-demo-fund", 1, 60))
    assert post(FUND, {}).status_code == 422
    response = post(FUND, {})
    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60


def test_the_proxy_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "RPC_RATE", Rate("test-demo-rpc", 1, 60))
    assert call("eth_chainId").status_code == 200
    response = call("eth_chainId")
    assert (response.status_code, response.json()["error"]["code"]) == (429, views.SERVER_ERROR)


def test_a_burner_sends_a_transaction_it_signed(contracts: Contracts) -> None:
    # given a funded burner, and what a wallet asks before it signs
    burner, receiver = Account.create(), Account.create().address
    post(FUND, {"address": burner.address})
    assert call("eth_chainId").json() == {"jsonrpc": "2.0", "id": 7, "result": "0x7a69"}
    assert call("eth_getBalance", burner.address, "latest").json()["result"] == hex(10 * 10**18)
    nonce = int(call("eth_getTransactionCount", burner.address, "pending").json()["result"], 16)
    gas_price = int(call("eth_gasPrice").json()["result"], 16)
    signed = burner.sign_transaction(
        {"to": receiver, "value": 5, "gas": 21000, "gasPrice": gas_price * 2, "nonce": nonce, "chainId": 31337}
    )
    # when it sends
    sent = call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()).json()["result"]
    # then the money is there, and the receipt tells
    contracts.web3.eth.wait_for_transaction_receipt(sent, timeout=10, poll_latency=0.05)
    assert call("eth_getTransactionReceipt", sent).json()["result"]["status"] == "0x1"
    assert call("eth_getTransactionByHash", sent).json()["result"]["value"] == "0x5"
    assert contracts.web3.eth.get_balance(receiver) == 5


@pytest.mark.parametrize("method", sorted(views.ALLOWED_METHODS))
def test_every_allowed_method_reaches_the_node(method: str) -> None:
    # the parameters of some are missing here: the node says so, not the proxy
    answer = call(method).json()
    assert answer["jsonrpc"] == "2.0"
    assert answer.get("error", {}).get("code") != views.METHOD_NOT_FOUND


@pytest.mark.parametrize(
    "method",
    [
        "anvil_setBalance",
        "anvil_impersonateAccount",
        "anvil_reset",
        "evm_revert",
        "evm_snapshot",
        "hardhat_setCode",
        "debug_traceTransaction",
        "eth_accounts",
        "eth_sendTransaction",
        "eth_sign",
        "eth_signTransaction",
        "personal_sign",
        "eth_newFilter",
        "eth_getLogs",
        "txpool_content",
        "web3_clientVersion",
        "ETH_CHAINID",
        "eth_chainId ",
        "",
    ],
)
def test_no_other_method_does(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: Any) -> None:
        raise AssertionError("the node was asked")

    monkeypatch.setattr(node, "forward", reached)
    response = call(method)
    assert (response.status_code, response.json()["error"]["code"]) == (403, views.METHOD_NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", views.PARSE_ERROR),
        ("{", views.PARSE_ERROR),
        ("[" * 100_000, views.PARSE_ERROR),
        ("x" * (views.MAX_BODY + 1), views.PARSE_ERROR),
        ("null", views.PARSE_ERROR),
        ("[]", views.INVALID_REQUEST),
        ('[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}]', views.INVALID_REQUEST),
        ('{"id":1}', views.INVALID_REQUEST),
        ('{"id":1,"method":["eth_chainId"]}', views.INVALID_REQUEST),
        ('{"id":1,"method":"eth_chainId","params":{"a":1}}', views.INVALID_PARAMS),
    ],
)
def test_what_is_no_request_is_a_json_rpc_error(body: str, code: int) -> None:
    response = post(RPC, body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)


def test_an_error_of_the_node_comes_through(contracts: Contracts) -> None:
    answer = call("eth_sendRawTransaction", "0x00").json()
    assert answer["id"] == 7
    assert "result" not in answer
    assert isinstance(answer["error"]["code"], int)


@pytest.mark.parametrize("chain_id", [1, 8453])
def test_a_network_that_is_not_local_is_refused(chain_id: int, settings: Settings) -> None:
    settings.NETWORKS = {**settings.NETWORKS, "local": {**settings.NETWORKS["local"], "chain_id": chain_id}}
    funded = post(FUND, {"address": Account.create().address})
    asked = call("eth_chainId")
    assert (funded.status_code, funded.json()["code"]) == (403, "not_local")
    assert asked.status_code == 403


def test_a_network_named_otherwise_is_refused_even_with_anvils_chain_id(settings: Settings) -> None:
    settings.NETWORKS = {"other": {**settings.NETWORKS["local"], "is_local": False}}
    settings.DEFAULT_NETWORK = "other"
    assert post(FUND, {"address": Account.create().address}).json()["code"] == "not_local"


def test_a_node_that_is_away_is_said_so(settings: Settings) -> None:
    settings.NETWORKS = {"local": {**settings.NETWORKS["local"], "rpc_urls": ["http://127.0.0.1:1"]}}
    assert post(FUND, {"address": Account.create().address}).status_code == 503
    answer = call("eth_chainId")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, views.SERVER_ERROR)


@pytest.mark.parametrize("offered", [True, False])
def test_the_routes_exist_only_with_the_setting(offered: bool, settings: Settings) -> None:
    settings.DEMO_WALLET = offered
    urlpatterns = runpy.run_path(str(settings.BASE_DIR / "config" / "urls.py"))["urlpatterns"]
    assert ("demo-wallet/" in [str(entry.pattern) for entry in urlpatterns]) is offered
