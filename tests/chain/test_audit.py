"""`manage.py check_chain`: every kind of difference is found and named."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from eth_account import Account
from pytest_django.fixtures import Settings

from chain.bindings.erc20 import Erc20
from chain.models import Cursor, Deployment, Event, OutboxTransaction
from chain.networks import Network
from chain.outbox import enqueue
from chain.rpc import Pool, agreement, pool_of
from chain.rpc.endpoint import Endpoint
from tests.chain.quotes import CREATOR, QuoteMaker
from tests.chain_fixtures import Contracts, TestListener


def check() -> str:
    out = StringIO()
    call_command("check_chain", "local", stdout=out, no_color=True)
    return out.getvalue()


def differing() -> str:
    out = StringIO()
    with pytest.raises(CommandError, match="need attention"):
        call_command("check_chain", stdout=out, no_color=True)
    return "\n".join(line for line in out.getvalue().splitlines() if line.strip().startswith("DIFF"))


@pytest.fixture(autouse=True)
def _this_room_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Payments of these tests are no purchases, which the marketplace's comparison would find."""
    monkeypatch.setattr("chain.audit._others", {})


@pytest.fixture
def busy_chain(
    contracts: Contracts, listener: TestListener, funded_wallet: Any, send: Any, make_quote: QuoteMaker
) -> TestListener:
    """Payments in ether and USDC, one of them withdrawn, all read."""
    buyer, escrow = funded_wallet(), contracts.escrow
    creator = funded_wallet(usdc=0)
    usdc = Erc20(contracts.network, contracts.usdc)
    send(usdc.encode_approve(escrow.address, 10**9), buyer)
    for quote in (make_quote(creator=creator.address), make_quote(token=contracts.usdc.address, amount=5_000_000)):
        send(escrow.encode_deposit(quote, escrow.sign_quote(quote)), buyer)
        send(escrow.encode_release(escrow.hash_quote(quote)), buyer)
    send(escrow.encode_withdraw("0x" + "0" * 40, creator.address), buyer)
    listener.confirm()
    return listener


@pytest.mark.django_db
def test_a_sound_chain_is_all_as_it_should_be(busy_chain: TestListener) -> None:
    said = check()
    assert said.endswith("All as it should be.\n")
    assert "DIFF" not in said
    assert "ok   escrow's ETH: holds 0.000025 ETH, the events say 0.000025 ETH" in said
    assert "ok   escrow's USDC: holds 5 USDC, the events say 5 USDC" in said
    assert "ok   entitlements: 1 compared" in said
    assert "ok   code of AgentNexusEscrow" in said


@pytest.mark.django_db
def test_a_missed_deposit_and_a_missed_withdrawal(busy_chain: TestListener) -> None:
    Event.objects.filter(name="PaymentDeposited").delete()
    found = differing()
    assert "escrow's USDC: holds 5 USDC, the events say 0 USDC: more than was paid in" in found
    busy_chain.listener.reindex(0, Cursor.objects.get().block_number)
    check()
    Event.objects.filter(name="Withdrawn").delete()
    assert "holds 0.000025 ETH, the events say 0.001 ETH. Run: manage.py reindex 0 --singly" in differing()


@pytest.mark.django_db
def test_access_that_the_database_does_not_know(busy_chain: TestListener) -> None:
    event = Event.objects.filter(name="EntitlementChanged").order_by("-block_number")[0]
    event.args["expiresAt"] = "5"
    event.save()
    assert f"1 differ, first {event.args['holder']} for agent 7" in differing()


@pytest.mark.django_db
def test_roles_that_the_settings_do_not_name(busy_chain: TestListener, settings: Settings) -> None:
    keys = settings.KEYS
    settings.KEYS = {**keys, "QUOTE_SIGNER_KEY": "0x" + "11" * 32, "GRANT_KEY": "0x" + "22" * 32}
    settings.PLATFORM_FEE_BPS = 300
    found = differing()
    assert "escrow's quoteSigner" in found
    assert "is not a minter: call setMinter" in found
    assert "250 basis points on the chain, 300 in the settings" in found


@pytest.mark.django_db
def test_contracts_that_are_not_there(contracts: Contracts) -> None:
    Deployment.objects.filter(contract="AgentNexusEscrow").update(address=CREATOR)
    assert f"code of AgentNexusEscrow: {CREATOR}: There is no code at" in differing()
    Deployment.objects.all().delete()
    found = differing()
    assert "Not deployed. Run: manage.py deploy_contracts local" in found
    assert "Nothing was read yet" in found


@pytest.mark.django_db
def test_a_cursor_off_the_chain_and_a_troubled_outbox(busy_chain: TestListener, contracts: Contracts) -> None:
    Cursor.objects.update(block_hash="0x" + "12" * 32)
    call = contracts.entitlements.encode_mint(CREATOR, 1, 0)
    enqueue(contracts.network, "GRANT_KEY", call, "k", "grant")
    OutboxTransaction.objects.update(status="displaced", detail="Taken.")
    found = differing()
    assert "is not on the node's chain" in found
    assert "outbox displaced: 1, newest: grant: Taken." in found


@pytest.mark.django_db
def test_an_unknown_network_is_named() -> None:
    with pytest.raises(CommandError, match="no network 'mars'"):
        call_command("check_chain", "mars")


# ---------------------------------------------------------------- endpoints against each other


def fixed(head: int, block_hash: str) -> Callable[[bytes], tuple[int, bytes]]:
    import json

    def send(body: bytes) -> tuple[int, bytes]:
        request = json.loads(body)
        result: Any = {
            "eth_chainId": "0x7a69",
            "eth_blockNumber": hex(head),
            "eth_getBlockByNumber": {"hash": block_hash},
        }[request["method"]]
        return 200, json.dumps({"id": request["id"], "result": result}).encode()

    return send


def dead(body: bytes) -> tuple[int, bytes]:
    raise TimeoutError


NETWORK = Network("n", "Net", 31337, ("http://x",), 3, 2, "", "ETH", True)


def test_endpoints_that_disagree_are_named() -> None:
    pool = Pool(NETWORK, [Endpoint("http://one", fixed(100, "0xaa")), Endpoint("http://two", fixed(99, "0xbb"))])
    said = agreement.disagreement(pool, 3)
    assert said.startswith("The RPC endpoints of Net disagree about block 96: one say 0xaa; two say 0xbb.")


@pytest.mark.parametrize("other", [fixed(99, "0xaa"), dead])
def test_endpoints_that_agree_or_are_silent_raise_nothing(other: Any) -> None:
    pool = Pool(NETWORK, [Endpoint("http://one", fixed(100, "0xaa")), Endpoint("http://two", other)])
    assert agreement.disagreement(pool, 3) == ""


def test_an_endpoint_that_stands_still_is_asked_last() -> None:
    pool = Pool(NETWORK, [Endpoint("http://one", fixed(50, "0x")), Endpoint("http://two", fixed(100, "0x"))])
    assert int(pool.call("eth_blockNumber"), 16) == 50
    assert agreement.set_laggards_aside(pool) == ["one#0"]
    assert int(pool.call("eth_blockNumber"), 16) == 100


def test_when_all_are_dead_none_is_set_aside() -> None:
    pool = Pool(NETWORK, [Endpoint("http://one", dead), Endpoint("http://two", dead)])
    assert agreement.set_laggards_aside(pool) == []


@pytest.mark.django_db
def test_gas_money_is_watched_where_ether_is_worth_something(
    contracts: Contracts, settings: Settings, listener: TestListener
) -> None:
    from chain.audit import _keys

    keys = {name: "0x" + f"{index + 50:02x}" * 32 for index, name in enumerate(settings.KEYS)}
    settings.KEYS = keys
    real = Network(**{**{name: getattr(contracts.network, name) for name in Network.__slots__}, "is_local": False})
    address = Account.from_key(keys["GRANT_KEY"]).address
    findings = {finding.name: finding for finding in _keys(real, 0)}
    assert findings["gas for GRANT_KEY"].detail == f"{address} has 0 ETH: send it some"
    pool_of(contracts.network).call("anvil_setBalance", address, hex(10**18))
    findings = {finding.name: finding for finding in _keys(real, 0)}
    assert findings["gas for GRANT_KEY"].ok
