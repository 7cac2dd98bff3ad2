"""`manage.py deploy_contracts` on a chain of its own."""

import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from eth_account import Account
from pytest_django.fixtures import Settings

from chain import artefacts, events
from chain.artefacts import ACCOUNT_FACTORY, ENTITLEMENTS, ENTRY_POINT, ESCROW, SPONSOR_PAYMASTER, TEST_USDC
from chain.bindings.escrow import Escrow
from chain.calls import Contract
from chain.deployments import CodeState, code_state, create2, forget_network
from chain.deployments.deploy import constructor_args
from chain.errors import RpcError, RpcUnavailableError
from chain.events import Handlers
from chain.listener import Listener
from chain.models import Block, Cursor, Deployment, Event, OutboxTransaction, SendingAccount
from chain.networks import Network, get_network
from chain.outbox import sender as outbox_sender
from chain.rpc import pool_of
from chain.tokens import tokens_for
from deploy.local.engines import Anvil

OWN_KEY = "0x" + "5d" * 32
ALL = {ESCROW, ENTITLEMENTS, TEST_USDC, ENTRY_POINT, ACCOUNT_FACTORY, SPONSOR_PAYMASTER}


@pytest.fixture
def anvil(tmp_path: Path, settings: Settings) -> Iterator[Anvil]:
    """A second local chain, known to the settings as "second"."""
    engine = Anvil(tmp_path)
    engine.start()
    settings.NETWORKS = {
        **settings.NETWORKS,
        "second": {**settings.NETWORKS["local"], "name": "Second", "rpc_urls": [engine.url], "is_local": True},
    }
    yield engine
    engine.stop()


def deploy(*args: str) -> str:
    out = StringIO()
    call_command("deploy_contracts", *args, stdout=out)
    return out.getvalue()


def entry_point(network: Network) -> Contract:
    return Contract(network, rows()[ENTRY_POINT], artefacts.load(ENTRY_POINT))


def rows(slug: str = "second") -> dict[str, str]:
    return dict(Deployment.objects.filter(network=slug).values_list("contract", "address"))


@pytest.mark.django_db
def test_it_deploys_verifies_wires_and_says_so(anvil: Anvil) -> None:
    said = deploy("second")

    network = get_network("second")
    assert set(rows()) == ALL
    assert rows()[ENTRY_POINT] == "0x0000000071727De22E5E9d8BAf0edAc6f37da032"
    assert entry_point(network).read("balanceOf", rows()[SPONSOR_PAYMASTER]) == 100 * 10**18
    escrow = Escrow.for_network(network)
    entitlements = rows()[ENTITLEMENTS]
    assert escrow.contract.read("entitlements") == entitlements
    assert escrow.contract.read("isTokenSupported", rows()[TEST_USDC])
    assert escrow.contract.read("disputeWindow") == 3 * 24 * 3600
    for row in Deployment.objects.filter(network="second"):
        verdict = code_state(network, artefacts.load(row.contract), row.address, constructor_args(row))
        assert verdict.state == CodeState.SAME
        verified = "" if row.contract in create2.SALTS else ", code verified"
        assert f"{row.contract} deployed{verified}  {row.address}  gas " in said
        assert f"block {row.block_number}" in said
    assert f"setMinter({escrow.address}, true)" in said
    assert [token.symbol for token in tokens_for(network)] == ["ETH", "USDC"]


@pytest.mark.django_db
def test_a_second_run_sends_nothing(anvil: Anvil) -> None:
    deploy("second")
    before, sent = rows(), OutboxTransaction.objects.count()
    block = pool_of(get_network("second")).call("eth_blockNumber")

    said = deploy("second")

    assert (rows(), OutboxTransaction.objects.count()) == (before, sent)
    assert pool_of(get_network("second")).call("eth_blockNumber") == block
    assert "AgentNexusEscrow is there, its code verified" in said
    assert "is done" in said


@pytest.mark.django_db
@pytest.mark.parametrize("stop_after", range(1, 11))
def test_it_goes_on_where_it_was_interrupted(anvil: Anvil, monkeypatch: pytest.MonkeyPatch, stop_after: int) -> None:
    """The connection breaks right after the n-th transaction reached the node."""
    whole = outbox_sender.Sender._broadcast
    sent = 0

    def broken(self: Any, row: Any, attempt: Any) -> None:
        nonlocal sent
        whole(self, row, attempt)
        sent += 1
        if sent == stop_after:
            raise RpcUnavailableError("the line is dead")

    with monkeypatch.context() as patch:
        patch.setattr(outbox_sender.Sender, "_broadcast", broken)
        with pytest.raises(CommandError, match="the line is dead"):
            deploy("second")

    deploy("second")

    deployer = OutboxTransaction.objects.first()
    assert deployer is not None
    count = pool_of(get_network("second")).call("eth_getTransactionCount", deployer.sender, "latest")
    assert int(count, 16) == 10  # six contracts, two minters, one token, one deposit: none twice
    assert set(rows()) == ALL


@pytest.mark.django_db
def test_a_wiped_local_chain_is_forgotten_and_deployed_anew(anvil: Anvil, tmp_path: Path) -> None:
    deploy("second")
    network = get_network("second")
    listener = Listener(network)
    while listener.step():
        pass
    undone: list[str] = []
    events.subscribe(
        ENTITLEMENTS, "MinterChanged", Handlers(reverted=lambda event: undone.append(event.args["minter"]))
    )
    assert Event.objects.filter(network="second").count() > 0
    old_block = Cursor.objects.get(network="second").block_hash

    anvil.stop()
    anvil.start()
    said = deploy("second")

    assert "The local chain is new; forgot it with" in said
    assert len(undone) == 2
    assert not Event.objects.filter(network="second").exists()
    assert not Cursor.objects.filter(network="second").exists()
    while listener.step():
        pass
    assert Event.objects.filter(network="second", name="MinterChanged").count() == 2
    assert Cursor.objects.get(network="second").block_hash != old_block


@pytest.mark.django_db
def test_an_emptied_database_on_a_living_chain_gets_new_contracts(anvil: Anvil) -> None:
    deploy("second")
    first = rows()
    for model in (Event, Block, Cursor, OutboxTransaction, SendingAccount, Deployment):
        model.objects.all().delete()
    deploy("second")
    assert set(rows()) == set(first)
    assert {name for name, address in rows().items() if address == first[name]} == {ENTRY_POINT, ACCOUNT_FACTORY}


@pytest.mark.django_db
def test_elsewhere_a_missing_contract_is_for_a_person_to_decide(anvil: Anvil, settings: Settings) -> None:
    settings.NETWORKS["second"]["is_local"] = False
    Deployment.objects.create(network="second", contract=ESCROW, address="0x" + "12" * 20, block_number=5)
    settings.KEYS = dict.fromkeys(settings.KEYS, OWN_KEY)
    settings.FEE_RECIPIENT = "0x000000000000000000000000000000000000dEaD"
    with pytest.raises(CommandError, match=r"There is no code at .* Nothing was sent\."):
        deploy("second")
    assert OutboxTransaction.objects.count() == 0
    assert rows() == {ESCROW: "0x1212121212121212121212121212121212121212"}


@pytest.mark.django_db
def test_other_code_at_the_recorded_address_is_noticed(anvil: Anvil, settings: Settings) -> None:
    deploy("second")
    network = get_network("second")
    pool = pool_of(network)
    row = Deployment.objects.get(network="second", contract=ESCROW)
    code = bytearray.fromhex(pool.call("eth_getCode", row.address, "latest")[2:])
    artefact = artefacts.load(ESCROW)

    def verdict_with(position: int) -> str:
        changed = bytearray(code)
        changed[position] ^= 1
        pool.call("anvil_setCode", row.address, "0x" + changed.hex())
        found = code_state(network, artefact, row.address, constructor_args(row))
        assert found.state == CodeState.DIFFERENT
        return found.detail

    for name, places in artefact.immutables.items():
        assert f"The immutable {name} has another value" in verdict_with(places[0][0] + 31)
    assert "The code differs from byte 0 on." in verdict_with(0)
    pool.call("anvil_setCode", row.address, "0x" + code[:-1].hex())
    assert "The code has" in code_state(network, artefact, row.address, constructor_args(row)).detail


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"chain_id": 8453}, "is on chain 31337, but Second is chain 8453"),
        ({"rpc_urls": ["http://127.0.0.1:9"]}, "127.0.0.1 cannot be reached"),
    ],
)
def test_a_network_it_cannot_trust_is_refused(
    anvil: Anvil, settings: Settings, change: dict[str, Any], sentence: str
) -> None:
    settings.NETWORKS["second"].update(change)
    with pytest.raises(CommandError, match=sentence):
        deploy("second")
    assert not OutboxTransaction.objects.filter(nonce__isnull=False).exists()


@pytest.mark.django_db
def test_what_is_missing_in_the_settings_is_named(anvil: Anvil, settings: Settings) -> None:
    with pytest.raises(CommandError, match="no network 'nowhere'"):
        deploy("nowhere")
    with pytest.raises(CommandError, match="--owner is not a checksummed address"):
        deploy("second", "--owner", "0x12")
    settings.NETWORKS["second"]["is_local"] = False
    with pytest.raises(CommandError, match="DEPLOYER_KEY is a key that everybody knows"):
        deploy("second")
    settings.KEYS = dict.fromkeys(settings.KEYS, OWN_KEY)
    with pytest.raises(CommandError, match="Set FEE_RECIPIENT"):
        deploy("second")
    settings.KEYS = {**settings.KEYS, "ARBITER_KEY": ""}
    settings.FEE_RECIPIENT = "0x000000000000000000000000000000000000dEaD"
    with pytest.raises(CommandError, match="ARBITER_KEY is not set"):
        deploy("second")


@pytest.mark.django_db
def test_without_money_it_says_who_needs_some(
    anvil: Anvil, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chain.deployments.deploy.PATIENCE_SECONDS", 0.5)
    settings.KEYS = {**settings.KEYS, "DEPLOYER_KEY": OWN_KEY}
    with pytest.raises(CommandError, match="has not enough ether"):
        deploy("second")


@pytest.mark.django_db
def test_the_ownership_is_offered_once(anvil: Anvil) -> None:
    owner = "0x000000000000000000000000000000000000dEaD"
    said = deploy("second", "--owner", owner)
    assert said.count("it must call acceptOwnership") == 3
    assert Escrow.for_network(get_network("second")).contract.read("pendingOwner") == owner
    assert deploy("second", "--owner", owner).count(f"ownership offered to {owner} is done") == 3


@pytest.mark.django_db
def test_what_only_another_owner_can_do_is_told(anvil: Anvil, settings: Settings) -> None:
    owner = "0x000000000000000000000000000000000000dEaD"
    deploy("second", "--owner", owner)
    pool = pool_of(get_network("second"))
    pool.call("anvil_impersonateAccount", owner)
    pool.call("anvil_setBalance", owner, hex(10**18))
    accept = artefacts.load(ENTITLEMENTS).interface.encode_call("acceptOwnership")
    pool.call("eth_sendTransaction", {"from": owner, "to": rows()[ENTITLEMENTS], "data": "0x" + accept.hex()})
    deploy("second")  # all is done, so nobody needs to be the owner
    settings.KEYS = {**settings.KEYS, "GRANT_KEY": OWN_KEY}
    with pytest.raises(CommandError, match=rf"is not done yet and needs AgentNexusEntitlements's owner {owner}"):
        deploy("second")


@pytest.mark.django_db
def test_elsewhere_every_transaction_is_waited_for_until_it_is_confirmed(anvil: Anvil, settings: Settings) -> None:
    settings.NETWORKS["second"].update({"is_local": False, "confirmations": 3})
    settings.FEE_RECIPIENT = "0x000000000000000000000000000000000000dEaD"
    settings.KEYS = {name: f"0x{index + 77:064x}" for index, name in enumerate(settings.KEYS)}
    network = get_network("second")
    pool = pool_of(network)
    pool.call("anvil_setBalance", Account.from_key(settings.KEYS["DEPLOYER_KEY"]).address, hex(10**18))
    done = threading.Event()

    def mine() -> None:
        while not done.wait(0.05):
            pool.call("anvil_mine", "0x1")

    miner = threading.Thread(target=mine)
    miner.start()
    try:
        said = deploy("second")
    finally:
        done.set()
        miner.join()
    assert set(rows()) == ALL - {TEST_USDC}
    assert entry_point(network).read("balanceOf", rows()[SPONSOR_PAYMASTER]) == 0
    assert set(OutboxTransaction.objects.values_list("status", flat=True)) == {"confirmed"}
    assert "TestUSDC" not in said
    assert [token.symbol for token in tokens_for(network)] == ["ETH"]
    with pytest.raises(ValueError, match="not a local chain"):
        forget_network(network)


@pytest.mark.django_db
def test_a_deployment_that_is_never_mined_says_how_to_go_on(anvil: Anvil, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chain.deployments.deploy.PATIENCE_SECONDS", 0.2)
    pool_of(get_network("second")).call("evm_setAutomine", False)
    with pytest.raises(CommandError, match=r"It is not mined yet\..*run this again to go on"):
        deploy("second")
    pool_of(get_network("second")).call("evm_setAutomine", True)
    pool_of(get_network("second")).call("anvil_mine", "0x1")
    monkeypatch.undo()
    deploy("second")
    assert set(rows()) == ALL


@pytest.mark.django_db(transaction=True)
def test_two_deployments_do_not_run_at_the_same_time(anvil: Anvil) -> None:
    with psycopg.connect(**connection.get_connection_params() | {"context": None, "cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('deploy:second'))")
        with pytest.raises(CommandError, match="Another deployment to Second is running"):
            deploy("second")
    deploy("second")


@pytest.mark.django_db
def test_a_transaction_that_failed_is_made_anew_by_the_next_run(anvil: Anvil, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = outbox_sender.Sender._estimate

    def refuse(self: Any, row: Any) -> int:
        raise RpcError("execution reverted", rpc_code=3)

    monkeypatch.setattr(outbox_sender.Sender, "_estimate", refuse)
    with pytest.raises(CommandError, match="AgentNexusEntitlements was not done: execution reverted"):
        deploy("second")
    monkeypatch.setattr(outbox_sender.Sender, "_estimate", whole)
    deploy("second")
    assert OutboxTransaction.objects.get(status="failed").idempotency_key.endswith("#0")
    assert OutboxTransaction.objects.filter(idempotency_key__endswith="#1").count() == 1


@pytest.mark.django_db
def test_a_dry_run_sends_nothing(anvil: Anvil) -> None:
    said = deploy("second", "--dry-run")
    assert "would deploy AgentNexusEscrow" in said
    assert "has 10000 ETH" in said
    assert not OutboxTransaction.objects.exists()
    deploy("second")
    assert f"AgentNexusEscrow at {rows()[ESCROW]}: verified" in deploy("second", "--dry-run")


@pytest.mark.django_db
def test_terms_that_the_owner_changed_are_told_not_undone(anvil: Anvil, settings: Settings) -> None:
    deploy("second")
    settings.PLATFORM_FEE_BPS = 300
    assert "NOTE: the escrow's platformFeeBps is 250, the settings say 300" in deploy("second")
