"""Who else pays: our own paymaster within its limits, and services that speak ERC-7677."""

import pytest
from pytest_django.fixtures import Settings

from chain import artefacts
from chain.bindings.erc20 import Erc20
from chain.calls import Call, deployed_at
from deploy.local.engines import Alto
from tests.chain_fixtures import Contracts
from tests.wallets.smart_accounts.helpers import account_of, balance, send_ether, submit, wait_for
from tests.wallets.smart_accounts.scripted import Refusal, ScriptedBundler
from wallets.models import User
from wallets.smart_accounts import entry_point, operations
from wallets.smart_accounts.errors import PaymasterRefusedError
from wallets.smart_accounts.user_op import UserOp

pytestmark = pytest.mark.django_db


def approval(contracts: Contracts, amount: int = 7) -> Call:
    """A call that serves only our contracts, and that anybody can make."""
    return Erc20(contracts.network, contracts.usdc).encode_approve(contracts.escrow.address, amount)


def test_an_account_without_any_ether_does_something(user: User, bundler: Alto, contracts: Contracts) -> None:
    # given
    account = account_of(user, eth=0)
    paymaster = deployed_at(contracts.network, artefacts.SPONSOR_PAYMASTER)
    before = entry_point.deposit_of(contracts.network, paymaster)

    # when
    operation = operations.build(account, [approval(contracts)])
    assert operation.paymaster == paymaster
    wait_for(submit(user, operation), "included")

    # then
    assert Erc20(contracts.network, contracts.usdc).allowance(account.address, contracts.escrow.address) == 7
    assert balance(account.address) == 0
    assert entry_point.deposit_of(contracts.network, paymaster) == before - (operation.gas_cost or 0)


def test_a_sponsored_operation_can_be_replaced(user: User, bundler: Alto, contracts: Contracts) -> None:
    account = account_of(user, eth=0)
    first = operations.build(account, [approval(contracts)])
    # it was signed, but no bundler got it
    operations._claim(first, bytes(65))
    second = operations.replace(user, first)
    assert second.paymaster == first.paymaster
    assert bytes(second.paymaster_data) != bytes(first.paymaster_data)
    wait_for(submit(user, second), "included")


def test_a_changed_operation_is_not_paid_for(user: User, bundler: Alto, contracts: Contracts) -> None:
    account = account_of(user, eth=0)
    operation = operations.build(account, [approval(contracts)])
    dearer = UserOp.of(operation).with_(max_fee_per_gas=operation.max_fee_per_gas * 2, signature=b"")
    row = operations._row(account, contracts.network, dearer)
    row.calls = operation.calls
    row.save(force_insert=True)
    submit(user, row)
    assert (row.status, row.code) == ("failed", "aa34")


def test_transfers_are_not_sponsored(user: User, bundler: Alto) -> None:
    account = account_of(user)
    with pytest.raises(PaymasterRefusedError, match="purchases only"):
        operations.build(account, [send_ether()], sponsored=True)
    assert operations.build(account, [send_ether()]).paymaster is None


def test_so_many_a_day(user: User, stranger: User, bundler: Alto, contracts: Contracts, settings: Settings) -> None:
    settings.SPONSORED_OPERATIONS_PER_DAY = 2
    account = account_of(user)
    for amount in (1, 2):
        assert operations.build(account, [approval(contracts, amount)]).paymaster is not None
    assert operations.build(account, [approval(contracts, 3)]).paymaster is None
    with pytest.raises(PaymasterRefusedError, match="2 operations a day"):
        operations.build(account, [approval(contracts, 4)], sponsored=True)
    assert operations.build(account_of(stranger), [approval(contracts, 1)]).paymaster is not None


def test_not_at_any_price(user: User, bundler: Alto, contracts: Contracts, settings: Settings) -> None:
    settings.SPONSORED_OPERATION_WEI = 1000
    with pytest.raises(PaymasterRefusedError, match="more than we pay for"):
        operations.build(account_of(user), [approval(contracts)], sponsored=True)


def test_without_a_key_nobody_is_sponsored(user: User, bundler: Alto, contracts: Contracts, settings: Settings) -> None:
    settings.KEYS = {**settings.KEYS, "SPONSOR_KEY": ""}
    with pytest.raises(PaymasterRefusedError, match="Nobody pays"):
        operations.build(account_of(user), [approval(contracts)], sponsored=True)


@pytest.fixture
def service(scripted: ScriptedBundler, settings: Settings) -> ScriptedBundler:
    """A paymaster service that follows a script, with a bundler that does."""
    local = {**settings.NETWORKS["local"], "paymaster_urls": [scripted.url]}
    settings.NETWORKS = {**settings.NETWORKS, "local": local}
    scripted.answers["pm_getPaymasterStubData"] = {"paymaster": "0x" + "12" * 20, "paymasterData": "0xaaaa"}
    scripted.answers["pm_getPaymasterData"] = {"paymaster": "0x" + "12" * 20, "paymasterData": "0xbbbb"}
    return scripted


def test_a_service_is_asked_twice(user: User, service: ScriptedBundler, contracts: Contracts) -> None:
    operation = operations.build(account_of(user, eth=0), [approval(contracts)])
    assert operation.paymaster == "0x1212121212121212121212121212121212121212"
    assert bytes(operation.paymaster_data) == b"\xbb\xbb"
    asked = [method for method, _ in service.calls if method.startswith(("pm_", "eth_estimate"))]
    assert asked == ["pm_getPaymasterStubData", "eth_estimateUserOperationGas", "pm_getPaymasterData"]
    final = next(params for method, params in service.calls if method == "pm_getPaymasterData")
    assert final[0]["callGasLimit"] == hex(operation.call_gas_limit)
    assert final[1:] == [entry_point.ENTRY_POINT, hex(31337), {}]


@pytest.mark.parametrize("answer", [Refusal(-32000, "policy"), {"paymaster": "nobody"}, "0x", None])
def test_a_service_that_refuses(user: User, service: ScriptedBundler, contracts: Contracts, answer: object) -> None:
    service.answers["pm_getPaymasterData"] = answer
    account = account_of(user)
    with pytest.raises(PaymasterRefusedError, match="Pay the gas yourself"):
        operations.build(account, [approval(contracts)], sponsored=True)
    assert operations.build(account, [approval(contracts)]).paymaster is None
