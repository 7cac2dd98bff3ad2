"""Smart accounts and user operations over HTTP: owner, stranger, anonymous, API key; and bad input."""

from typing import Any

import pytest
from eth_account import Account
from rest_framework.test import APIClient

from chain.networks import default_network
from deploy.local.engines import Alto
from tests.account_fixtures import ApiFor
from tests.factories.wallets import LinkedWalletFactory
from tests.wallets.smart_accounts.authenticator import Authenticator
from tests.wallets.smart_accounts.helpers import NOBODY, account_of, balance, give, signed
from tests.wallets.smart_accounts.scripted import ScriptedBundler
from wallets.credentials import api_keys
from wallets.models import User, UserOperation
from wallets.smart_accounts import accounts
from wallets.smart_accounts.api.throttles import OPERATIONS

pytestmark = pytest.mark.django_db
CALLS = [{"to": NOBODY, "value": "0x5"}]


def operation_of(client: APIClient, account: str, **headers: str) -> dict[str, Any]:
    """A built one."""
    body = {"account": account, "calls": CALLS, "sponsored": False}
    response = client.post("/api/v1/user-operations", body, headers=headers)
    assert response.status_code == 201, response.json()
    return dict(response.json())


def test_an_integrator_opens_an_account_and_pays_from_it(user: User, bundler: Alto, api: ApiFor) -> None:
    client = api(user)
    # given an account, whose address is known before it is there
    opened = client.post("/api/v1/smart-accounts", {"owner": user.primary_address})
    assert opened.status_code == 201
    account = opened.json()
    assert (account["is_deployed"], account["owner"], account["chain_id"]) == (False, "wallet", 31337)
    again = client.post("/api/v1/smart-accounts", {"owner": user.primary_address, "network": "local"})
    assert again.json()["id"] == account["id"]
    give(account["address"], 10**18)
    detail = client.get(f"/api/v1/smart-accounts/{account['id']}").json()
    assert [row["amount_display"] for row in detail["balances"]] == ["1 ETH", "0 USDC"]

    # when
    built = operation_of(client, account["id"], **{"Idempotency-Key": "k1"})
    assert built["id"] == operation_of(client, account["id"], **{"Idempotency-Key": "k1"})["id"]
    assert built["user_operation"]["signature"] == "0x"
    assert built["max_gas_cost_display"].endswith(" ETH")
    row = UserOperation.objects.get(pk=built["id"])
    path = f"/api/v1/user-operations/{built['id']}"
    submitted = client.post(f"{path}/submit", {"signature": signed(user.account, row)})  # type: ignore[attr-defined]
    assert (submitted.status_code, submitted.json()["status"]) == (200, "submitted")
    shown = submitted.json()
    for _ in range(2000):
        if shown["status"] == "included":
            break
        shown = client.get(path).json()

    # then
    assert shown["status"] == "included"
    assert balance(NOBODY) == 5
    assert shown["gas_cost_display"].endswith(" ETH")
    listed = client.get("/api/v1/user-operations").json()
    assert [each["id"] for each in listed["results"]] == [built["id"]]
    assert client.get("/api/v1/smart-accounts").json()[0]["address"] == account["address"]
    repeated = client.post(f"{path}/submit", {"signature": signed(user.account, row)})  # type: ignore[attr-defined]
    assert repeated.json()["status"] == "included"


def test_a_passkey_account_by_api(user: User, scripted: ScriptedBundler, api: ApiFor) -> None:
    client = api(user)
    options = client.post("/api/v1/smart-accounts/passkey-options").json()
    authenticator = Authenticator()
    made = client.post("/api/v1/smart-accounts", {"credential": authenticator.register(options)})
    assert made.status_code == 201, made.json()
    account = made.json()
    assert (account["owner"], account["owner_address"]) == ("passkey", None)
    assert [key["transports"] for key in account["passkeys"]] == [["internal"]]
    give(account["address"], 10**18)
    built = operation_of(client, account["id"])
    scripted.answers["eth_sendUserOperation"] = built["user_op_hash"]
    assertion = authenticator.sign(bytes.fromhex(built["user_op_hash"][2:]))
    done = client.post(f"/api/v1/user-operations/{built['id']}/submit", {"assertion": assertion})
    assert (done.status_code, done.json()["status"]) == (200, "submitted")


def test_strangers_see_nothing(user: User, stranger: User, scripted: ScriptedBundler, api: ApiFor) -> None:
    account = account_of(user)
    operation = operation_of(api(user), str(account.pk))
    client = api(stranger)
    path = f"/api/v1/user-operations/{operation['id']}"
    assert client.get("/api/v1/smart-accounts").json() == []
    assert client.get("/api/v1/user-operations").json()["results"] == []
    body = {"account": str(account.pk), "calls": CALLS}
    signature = {"signature": "0x" + "11" * 65}
    for response in (
        client.get(f"/api/v1/smart-accounts/{account.pk}"),
        client.get(path),
        client.post(f"{path}/submit", signature),
        client.post(f"{path}/replace"),
        client.post("/api/v1/user-operations", body),
        client.post("/api/v1/smart-accounts", {"owner": user.primary_address}),
    ):
        assert response.status_code == 404
    for method, address in (("get", "smart-accounts"), ("post", "user-operations"), ("get", "user-operations")):
        assert getattr(api(None), method)(f"/api/v1/{address}").status_code == 401


def test_api_keys_need_the_scope_and_open_no_accounts(user: User, scripted: ScriptedBundler) -> None:
    account = account_of(user)

    def client(*scopes: str) -> APIClient:
        made = APIClient()
        made.credentials(HTTP_AUTHORIZATION=f"Bearer {api_keys.create(user, 'k', list(scopes)).text}")
        return made

    assert client("agents:read").get("/api/v1/user-operations").status_code == 403
    buying = client("purchases:write")
    assert operation_of(buying, str(account.pk))["status"] == "built"
    assert buying.post("/api/v1/smart-accounts", {"owner": user.primary_address}).status_code == 403
    assert buying.post("/api/v1/smart-accounts/passkey-options").status_code == 403


def test_bad_input_has_its_answer(user: User, scripted: ScriptedBundler, api: ApiFor) -> None:
    client = api(user)
    account = str(account_of(user).pk)
    operation = operation_of(client, account)
    path = f"/api/v1/user-operations/{operation['id']}"
    cases: list[tuple[str, Any, int, str]] = [
        ("smart-accounts", {}, 400, "invalid"),
        ("smart-accounts", {"owner": user.primary_address, "credential": {}}, 400, "invalid"),
        ("smart-accounts", {"credential": "x"}, 400, "invalid"),
        ("smart-accounts", {"credential": {}}, 422, "passkey_invalid"),
        ("smart-accounts", {"owner": user.primary_address, "network": "mars"}, 404, "unknown_network"),
        ("smart-accounts", {"owner": Account.create().address}, 404, "wallet_not_linked"),
        ("user-operations", {"account": account}, 400, "invalid"),
        ("user-operations", {"account": "x", "calls": CALLS}, 400, "invalid"),
        ("user-operations", {"account": account, "calls": []}, 422, "call_not_allowed"),
        ("user-operations", {"account": account, "calls": [{"to": NOBODY, "value": "5"}]}, 400, "invalid"),
        ("user-operations", {"account": account, "calls": [{"to": NOBODY, "data": "0xabc"}]}, 400, "invalid"),
        ("user-operations", {"account": account, "calls": [{"to": NOBODY, "data": "0xabcd"}]}, 422, "call_not_allowed"),
    ]
    for resource, body, status, code in cases:
        response = client.post(f"/api/v1/{resource}", body)
        assert (response.status_code, response.json()["code"]) == (status, code), body
    for body, status, code in (
        ({}, 400, "invalid"),
        ({"signature": "0x12"}, 400, "invalid"),
        ({"signature": "0x" + "11" * 65}, 422, "signature_invalid"),
        ({"assertion": {}}, 422, "signature_invalid"),
        ({"assertion": []}, 400, "invalid"),
    ):
        response = client.post(f"{path}/submit", body)
        assert (response.status_code, response.json()["code"]) == (status, code), body
    assert client.post(f"{path}/replace").status_code == 409
    body = {"account": account, "calls": CALLS}
    spaced = client.post("/api/v1/user-operations", body, headers={"Idempotency-Key": "a b"})
    assert spaced.status_code == 422


def test_a_spam_of_operations_is_limited(user: User, scripted: ScriptedBundler, api: ApiFor) -> None:
    client = api(user)
    account = str(account_of(user).pk)
    for _ in range(OPERATIONS.limit):
        operation_of(client, account)
    asked = scripted.count("eth_estimateUserOperationGas")
    response = client.post("/api/v1/user-operations", {"account": account, "calls": CALLS})
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 60
    assert scripted.count("eth_estimateUserOperationGas") == asked
    # and the same offer asked for again and again is one row
    assert UserOperation.objects.count() == 1


def test_an_account_moves_with_its_wallet(user: User, stranger: User, scripted: ScriptedBundler) -> None:
    account = account_of(user)
    owner = user.wallets.get()
    owner.delete()
    LinkedWalletFactory.create(user=stranger, address=owner.address, account=user.account)  # type: ignore[attr-defined]
    moved = accounts.open_for_wallet(stranger, owner.address, default_network())
    assert (moved.pk, moved.user_id) == (account.pk, stranger.pk)
    assert account.address in User.objects.get(pk=stranger.pk).addresses()
    assert account.address not in User.objects.get(pk=user.pk).addresses()
