"""What others see of the chain: the API, the admin, and the health checks."""

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from chain import health
from chain.artefacts import ESCROW
from chain.bindings.escrow import Escrow
from chain.listener.heartbeat import Heartbeat, beat, last_beat
from chain.models import Block, Cursor, Deployment, Event, OutboxTransaction, SendingAccount
from chain.networks import default_network
from chain.outbox import enqueue
from chain.rpc import pool_of
from tests.chain.quotes import CREATOR
from tests.chain_fixtures import Contracts, TestListener


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


# ---------------------------------------------------------------- GET /api/v1/networks


@pytest.mark.django_db
def test_networks_are_public_and_exact(
    contracts: Contracts, client: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(3):
        response = client.get("/api/v1/networks")
    assert response.status_code == 200
    assert response["Cache-Control"] == "public, max-age=60"
    assert response.json() == [
        {
            "slug": "local",
            "name": "Local chain",
            "chain_id": 31337,
            "is_default": True,
            "is_local": True,
            "explorer_url": "",
            "confirmations": contracts.network.confirmations,
            "block_time": 1,
            "native_symbol": "ETH",
            "tokens": [
                {"symbol": "ETH", "name": "Ether", "address": "0x" + "0" * 40, "decimals": 18},
                {"symbol": "USDC", "name": "USD Coin", "address": contracts.usdc.address, "decimals": 6},
            ],
            "contracts": {"escrow": contracts.escrow.address, "entitlements": contracts.entitlements.address},
        }
    ]


@pytest.mark.django_db
def test_before_a_deployment_contracts_are_null_and_rpc_urls_never_shown(client: Client, settings: Settings) -> None:
    settings.NETWORKS = {**settings.NETWORKS, "base": {**settings.NETWORKS["base"], "rpc_urls": ["https://x/secret"]}}
    response = client.get("/api/v1/networks")
    by_slug = {network["slug"]: network for network in response.json()}
    assert by_slug["local"]["contracts"] == {"escrow": None, "entitlements": None}
    assert by_slug["base"]["tokens"][1]["address"] == "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
    assert by_slug["base"]["is_default"] is False
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
def test_networks_cannot_be_written(client: Client) -> None:
    assert client.post("/api/v1/networks", {}, "application/json").status_code == 405


def test_the_schema_describes_networks() -> None:
    from drf_spectacular.generators import SchemaGenerator

    generator: Any = SchemaGenerator
    schema = generator().get_schema(request=None, public=True)
    operation = schema["paths"]["/api/v1/networks"]["get"]
    assert operation["operationId"] == "networks_list"
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array"
    address = schema["components"]["schemas"]["Token"]["properties"]["address"]
    assert address["pattern"] == "^0x[0-9a-fA-F]{40}$"


# ---------------------------------------------------------------- admin

TABLES = ("deployment", "cursor", "block", "event", "outboxtransaction", "sendingaccount")


@pytest.fixture
def filled(contracts: Contracts, listener: TestListener) -> OutboxTransaction:
    listener.catch_up()
    SendingAccount.objects.create(network="local", address=CREATOR, next_nonce=3)
    call = contracts.entitlements.encode_mint(CREATOR, 1, 0)
    return enqueue(contracts.network, "GRANT_KEY", call, "k", "grant")


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_staff_can_look_but_not_touch(filled: OutboxTransaction, admin_client: Client, table: str) -> None:
    model: Any = {
        "deployment": Deployment,
        "cursor": Cursor,
        "block": Block,
        "event": Event,
        "outboxtransaction": OutboxTransaction,
        "sendingaccount": SendingAccount,
    }[table]
    row = model.objects.all()[0]
    assert admin_client.get(reverse(f"admin:chain_{table}_changelist")).status_code == 200
    page = admin_client.get(reverse(f"admin:chain_{table}_change", args=[row.pk]))
    assert page.status_code == 200
    assert admin_client.get(reverse(f"admin:chain_{table}_add")).status_code == 403
    assert admin_client.post(reverse(f"admin:chain_{table}_delete", args=[row.pk])).status_code == 403
    before = model.objects.filter(pk=row.pk).values().get()
    admin_client.post(reverse(f"admin:chain_{table}_change", args=[row.pk]), {"network": "other"})
    assert model.objects.filter(pk=row.pk).values().get() == before


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_strangers_and_ordinary_users_see_nothing(client: Client, django_user_model: Any, table: str) -> None:
    address = reverse(f"admin:chain_{table}_changelist")
    assert client.get(address).status_code == 302
    client.force_login(django_user_model.objects.create_user("someone"))
    assert client.get(address).status_code == 302


@pytest.mark.django_db
def test_a_pasted_address_or_hash_finds_its_rows(filled: OutboxTransaction, admin_client: Client) -> None:
    escrow = Deployment.objects.get(contract=ESCROW)
    event = Event.objects.filter(name="MinterChanged")[0]

    def found(table: str, query: str) -> int:
        page = admin_client.get(reverse(f"admin:chain_{table}_changelist"), {"q": query})
        assert page.status_code == 200
        return int(page.context["cl"].result_count)

    assert found("deployment", escrow.address) == 1
    assert found("deployment", escrow.address.lower()[:12]) == 1
    assert found("deployment", "0xnothing") == 0
    same = Event.objects.filter(transaction_hash=event.transaction_hash).count()
    assert found("event", event.transaction_hash) == same
    assert found("event", str(event.args["minter"])) >= 1
    assert found("outboxtransaction", filled.sender) == 1
    assert found("block", Block.objects.all()[0].hash) == 1


@pytest.mark.django_db
def test_explorer_links_and_amounts_are_readable(
    filled: OutboxTransaction, admin_client: Client, settings: Settings
) -> None:
    settings.NETWORKS = {"local": {**settings.NETWORKS["local"], "explorer_url": "https://scan.example"}}
    OutboxTransaction.objects.update(value=15 * 10**17, transaction_hash="0x" + "ab" * 32)
    page = admin_client.get(reverse("admin:chain_outboxtransaction_change", args=[filled.pk])).content.decode()
    assert "1.5 ETH" in page
    listed = admin_client.get(reverse("admin:chain_outboxtransaction_changelist")).content.decode()
    assert f"https://scan.example/tx/0x{'ab' * 32}" in listed
    assert "0xabababab" in listed


# ---------------------------------------------------------------- health


def checks() -> dict[str, dict[str, Any]]:
    cache.delete_pattern("chain:health:*")  # type: ignore[attr-defined]
    return {check["name"].split(":")[-1]: check for check in health.status()}


@pytest.mark.django_db
def test_health_tells_that_no_listener_runs(contracts: Contracts) -> None:
    found = checks()
    assert found["node"]["ok"] is True
    assert found["listener"] == {
        "name": "chain:local:listener",
        "ok": False,
        "detail": "No listener runs. Start `manage.py listen`.",
    }


@pytest.mark.django_db
def test_health_gives_the_lag(contracts: Contracts, listener: TestListener, mine: Any) -> None:
    listener.catch_up()
    beat(contracts.network, 1, 1)
    assert checks()["listener"]["ok"] is True
    assert checks()["listener"]["lag_blocks"] == 0
    mine(31)
    late = checks()["listener"]
    assert (late["ok"], late["lag_blocks"], late["lag_seconds"]) == (False, 31, 31)


@pytest.mark.django_db
def test_health_tells_what_holds_the_listener_up(
    contracts: Contracts, listener: TestListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener.catch_up()
    beat(contracts.network, 1, 1, "A handler failed.")
    assert checks()["listener"]["detail"] == "A handler failed."
    beat(contracts.network, 1, 1, warning="The endpoints disagree.")
    warned = checks()["listener"]
    assert (warned["ok"], "The endpoints disagree." in warned["detail"]) == (False, True)
    now = time.time()
    beat(contracts.network, 1, 1)
    monkeypatch.setattr(time, "time", lambda: now + 100)
    assert "silent for 1" in checks()["listener"]["detail"]


@pytest.mark.django_db
def test_health_with_a_dead_or_wrong_node(settings: Settings) -> None:
    settings.NETWORKS = {"local": {**settings.NETWORKS["local"], "rpc_urls": ["http://127.0.0.1:9"]}}
    assert checks()["node"]["detail"] == "127.0.0.1 cannot be reached."
    settings.NETWORKS = {"local": {**settings.NETWORKS["local"], "rpc_urls": [pool_url()], "chain_id": 5}}
    assert "is on chain 31337, but Local chain is chain 5" in checks()["node"]["detail"]


def pool_url() -> str:
    import os

    return os.environ["CHAIN_RPC_URL"]


@pytest.mark.django_db
def test_health_names_sending_accounts_that_are_short_of_ether(contracts: Contracts, settings: Settings) -> None:
    call = contracts.entitlements.encode_mint("0x" + "11" * 20, 1, 0)
    row = enqueue(contracts.network, "RELAYER_KEY", call, "k", "x")
    assert checks()["funds"] == {
        "name": "chain:local:funds",
        "ok": True,
        "detail": "the sending accounts have enough ether",
    }
    # A process without keys knows the accounts from what they sent.
    settings.KEYS = {}
    settings.LOW_BALANCE_WEI = 10**30
    found = checks()["funds"]
    assert not found["ok"]
    assert found["detail"].startswith(f"{row.sender} (RELAYER_KEY) has ")
    assert found["detail"].endswith(" ETH left on Local chain. Send it some.")


@pytest.mark.django_db
def test_health_tells_of_a_stuck_outbox(contracts: Contracts, filled: OutboxTransaction) -> None:
    assert checks()["outbox"]["ok"] is True
    OutboxTransaction.objects.update(status="unknown", detail="Looking again.")
    stuck = checks()["outbox"]
    assert stuck["ok"] is False
    assert stuck["detail"].endswith("grant. Looking again.")


@pytest.mark.django_db
def test_a_node_is_not_asked_at_every_visit(contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    health.status()
    monkeypatch.setattr(health, "_probe", lambda network: pytest.fail("asked again"))
    health.status()


@pytest.mark.django_db
def test_readiness_carries_the_chain(client: Client, contracts: Contracts) -> None:
    body = client.get("/readyz").json()
    names = {check["name"] for check in body["checks"]}
    assert {"chain:local:node", "chain:local:listener", "chain:local:outbox"} <= names


def test_a_heartbeat_comes_back_as_it_was_left() -> None:
    network = default_network()
    assert last_beat(network) is None
    beat(network, 7, 9, "trouble", "warning")
    left = last_beat(network)
    assert left is not None
    assert left == Heartbeat(left.at, 7, 9, "trouble", "warning")
    assert abs(left.at - time.time()) < 5


def test_a_dead_cache_does_not_stop_the_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*args: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(cache, "set", dead)
    beat(default_network(), 1, 1)


@pytest.mark.django_db
def test_bindings_and_pool_are_those_of_the_fixture(contracts: Contracts) -> None:
    assert Escrow.for_network(contracts.network) == contracts.escrow
    assert pool_of(contracts.network) is pool_of(default_network())
