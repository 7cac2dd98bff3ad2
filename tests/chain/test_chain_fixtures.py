"""The fixtures that other rooms rely on."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from chain.bindings.erc20 import Erc20
from chain.models import Deployment
from chain.rpc import pool_of
from tests.chain.quotes import CREATOR
from tests.chain_fixtures import Contracts

seen_heads: list[str] = []


@pytest.mark.django_db
@pytest.mark.parametrize("_again", [1, 2, 3])
def test_what_a_test_does_on_the_chain_is_undone(
    contracts: Contracts, mine: Callable[..., None], chain_time: Callable[[], int], _again: int
) -> None:
    seen_heads.append(pool_of(contracts.network).call("eth_getBlockByNumber", "latest", False)["hash"])
    assert len(set(seen_heads)) == 1
    before = chain_time()
    mine(2, seconds=10 * 24 * 3600)
    assert chain_time() >= before + 10 * 24 * 3600


@pytest.mark.django_db
def test_the_clock_is_set_back_too(contracts: Contracts, mine: Callable[..., None], chain_time: Any) -> None:
    mine(1)
    assert abs(chain_time() - time.time()) < 30


@pytest.mark.django_db
def test_a_wallet_has_what_was_asked_for(contracts: Contracts, funded_wallet: Callable[..., LocalAccount]) -> None:
    usdc = Erc20(contracts.network, contracts.usdc)
    rich, poor = funded_wallet(eth=5, usdc=7), funded_wallet(eth=0, usdc=0)
    assert contracts.web3.eth.get_balance(rich.address) == 5
    assert usdc.balance_of(rich.address) == 7
    assert (contracts.web3.eth.get_balance(poor.address), usdc.balance_of(poor.address)) == (0, 0)


@pytest.mark.django_db
def test_a_failing_call_names_its_error(contracts: Contracts, funded_wallet: Any, send: Any, call_reverts: Any) -> None:
    account = funded_wallet(usdc=0)
    call = contracts.entitlements.encode_mint(CREATOR, 1, 0)
    assert call_reverts(call, account) == f"NotMinter({account.address})"
    with pytest.raises(AssertionError, match=rf"the call would revert: NotMinter\({account.address}\)"):
        send(call, account)
    with pytest.raises(AssertionError, match="did not revert"):
        call_reverts(contracts.escrow.contract.call("owner"), account)


@pytest.mark.django_db(transaction=True)
def test_it_works_with_real_transactions(contracts: Contracts) -> None:
    assert Deployment.objects.count() == 6


@pytest.mark.django_db
def test_without_the_fixture_nothing_is_deployed() -> None:
    assert not Deployment.objects.exists()
