"""Pytest plugin: our contracts on the test chain, wallets with money, and a listener, for the tests of every room.

The contracts are deployed once a session, by the code of `manage.py deploy_contracts`. Each test that asks for
`contracts` finds their `Deployment` rows in its database and the chain as it was after the deployment: what a test does
on the chain is undone at its end.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from pytest_django import DjangoDbBlocker
from web3 import Web3

from chain.bindings.entitlements import Entitlements
from chain.bindings.erc20 import Erc20
from chain.bindings.escrow import Escrow
from chain.calls import Call
from chain.deployments import Deployer
from chain.errors import RpcError
from chain.listener import Listener
from chain.models import Deployment, OutboxAttempt, OutboxTransaction, SendingAccount
from chain.networks import Network, default_network
from chain.outbox.reasons import error_name
from chain.rpc import Pool, connect, pool_of
from chain.tokens import Token, get_token

FEE = 3 * 10**9
MINED_SECONDS = 20
QUIET_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Contracts:
    """Our contracts on the test chain."""

    network: Network
    web3: Web3
    escrow: Escrow
    entitlements: Entitlements
    usdc: Token


class TestListener:
    """A listener that tests step by hand."""

    __test__ = False

    def __init__(self, network: Network) -> None:
        self.network = network
        self.listener = Listener(network)

    def step(self) -> int:
        """One poll; the number of blocks read."""
        return self.listener.step()

    def catch_up(self) -> None:
        """Read up to the head."""
        while self.listener.step():
            pass

    def confirm(self) -> None:
        """Mine the network's confirmations on top of everything, and read up to the head."""
        mine_blocks(self.network, self.network.confirmations)
        self.catch_up()


@pytest.fixture(scope="session")
def _deployments(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> list[dict[str, Any]]:
    """The rows of a deployment made once. They are kept outside the database, which tests roll back or empty."""
    network = default_network()
    with django_db_blocker.unblock():
        Deployer(network, lambda _: None).run()
        rows: list[dict[str, Any]] = [*map(dict, Deployment.objects.filter(network=network.slug).values())]
        for model in (OutboxAttempt, OutboxTransaction, SendingAccount, Deployment):
            model.objects.all().delete()
    return rows


@pytest.fixture
def contracts(db: None, _deployments: list[dict[str, Any]]) -> Iterator[Contracts]:
    """The deployed contracts; the chain is as after the deployment, and is set back at the end."""
    network = default_network()
    Deployment.objects.bulk_create(Deployment(**row) for row in _deployments)
    with reorg_on(network) as undo:
        # Set back, the chain's clock would lag by all the time that the tests before this one have taken.
        pool_of(network).call("evm_setTime", int(time.time()))
        yield Contracts(
            network=network,
            web3=connect(network),
            escrow=Escrow.for_network(network),
            entitlements=Entitlements.for_network(network),
            usdc=get_token(network, "USDC"),
        )
        # What waits to be mined survives a revert: a transaction that a test did not wait for must not be mined on top
        # of what the next test finds.
        pool = pool_of(network)
        await_miner(pool)
        pool.call("evm_setAutomine", False)
        pool.call("anvil_dropAllTransactions")
        undo()
    pool.call("anvil_dropAllTransactions")
    pool.call("evm_setAutomine", True)
    # So does the fee of the next block.
    head = pool.call("eth_getBlockByNumber", "latest", False)
    pool.call("anvil_setNextBlockBaseFeePerGas", head["baseFeePerGas"])


@pytest.fixture
def funded_wallet(contracts: Contracts) -> Callable[..., LocalAccount]:
    """`funded_wallet(eth=10**19, usdc=10**9)`: a new account with that many wei and USDC base units."""

    def make(eth: int = 10**19, usdc: int = 10**9) -> LocalAccount:
        account: LocalAccount = Account.create()
        pool = pool_of(contracts.network)
        pool.call("anvil_setBalance", account.address, hex(eth + (10**18 if usdc else 0)))
        if usdc:
            send_call(
                contracts.network, Erc20(contracts.network, contracts.usdc).encode_mint(account.address, usdc), account
            )
            pool.call("anvil_setBalance", account.address, hex(eth))
        return account

    return make


@pytest.fixture
def send(contracts: Contracts) -> Callable[[Call, LocalAccount], dict[str, Any]]:
    """`send(call, account) -> receipt`: sign, send and mine. AssertionError with the revert's name when it fails."""
    return lambda call, account: send_call(contracts.network, call, account)


@pytest.fixture
def call_reverts(contracts: Contracts) -> Callable[[Call, LocalAccount], str]:
    """`call_reverts(call, account)`: the custom error, such as "WrongStatus(...)", without sending."""

    def check(call: Call, account: LocalAccount) -> str:
        try:
            pool_of(contracts.network).call("eth_call", _request(call, account), "latest")
        except RpcError as exc:
            return error_name(exc)
        raise AssertionError("the call did not revert")

    return check


@pytest.fixture
def mine(contracts: Contracts) -> Callable[..., None]:
    """`mine(n=1, seconds=0)`: move the chain's clock forward, then mine n blocks."""
    return lambda n=1, seconds=0: mine_blocks(contracts.network, n, seconds)


@pytest.fixture
def chain_time(contracts: Contracts) -> Callable[[], int]:
    """`chain_time()`: the head block's time in unix seconds."""
    return lambda: int(pool_of(contracts.network).call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


@pytest.fixture
def listener(contracts: Contracts) -> TestListener:
    """A listener on the test chain, which has read nothing yet."""
    return TestListener(contracts.network)


@pytest.fixture
def reorg_scope(contracts: Contracts) -> Callable[[], Any]:
    """`with reorg_scope() as undo: ...; undo()`: drops the blocks mined since; mine others to complete a reorg."""
    return lambda: reorg_on(contracts.network)


@contextmanager
def reorg_on(network: Network) -> Iterator[Callable[[], None]]:
    """Gives a function that takes the chain back to where it was on entry."""
    pool = pool_of(network)
    snapshot = pool.call("evm_snapshot")

    def undo() -> None:
        assert pool.call("evm_revert", snapshot) is True

    yield undo


def await_miner(pool: Pool) -> None:
    """Let the node end the block it is making. What can never be mined is not waited for."""
    deadline = time.monotonic() + QUIET_SECONDS
    while int(pool.call("txpool_status")["pending"], 16) and time.monotonic() < deadline:
        time.sleep(0.01)


def mine_blocks(network: Network, count: int = 1, seconds: int = 0) -> None:
    """Mine `count` blocks after moving the chain's clock by `seconds`."""
    pool = pool_of(network)
    if seconds:
        pool.call("evm_increaseTime", seconds)
    pool.call("anvil_mine", hex(count))


def send_call(network: Network, call: Call, account: LocalAccount) -> dict[str, Any]:
    """Sign, send and mine `call`; the receipt. AssertionError when it reverts."""
    pool = pool_of(network)
    try:
        gas = int(pool.call("eth_estimateGas", _request(call, account)), 16)
    except RpcError as exc:
        raise AssertionError(f"the call would revert: {error_name(exc)}") from exc
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": call.chain_id,
        "nonce": int(pool.call("eth_getTransactionCount", account.address, "pending"), 16),
        "gas": gas + gas // 4,
        "maxFeePerGas": FEE,
        "maxPriorityFeePerGas": 1,
        "value": call.value,
        "data": call.data,
        **({"to": call.to} if call.to else {}),
    }
    raw = account.sign_transaction(transaction).raw_transaction
    transaction_hash = pool.call("eth_sendRawTransaction", "0x" + bytes(raw).hex())
    if not pool.call("anvil_getAutomine"):
        pool.call("anvil_mine", "0x1")
    receipt: dict[str, Any] | None = None
    deadline = time.monotonic() + MINED_SECONDS
    while receipt is None:  # the node answers before the block is made
        assert time.monotonic() < deadline, "the transaction was not mined"
        receipt = pool.call("eth_getTransactionReceipt", transaction_hash)
    assert int(receipt["status"], 16) == 1, "the transaction reverted"
    return receipt


def _request(call: Call, account: LocalAccount) -> dict[str, Any]:
    request = {"from": account.address, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    return request | ({"to": call.to} if call.to else {})
