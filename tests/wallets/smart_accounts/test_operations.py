"""User operations through a real bundler onto a real chain."""

import pytest

from chain.networks import default_network
from deploy.local.engines import Alto
from tests.wallets.smart_accounts.helpers import (
    NOBODY,
    account_of,
    balance,
    send_ether,
    submit,
    wait_for,
)
from wallets.models import User
from wallets.smart_accounts import accounts, entry_point, operations

pytestmark = pytest.mark.django_db


def test_the_first_operation_deploys_the_account_and_does_what_was_signed(user: User, bundler: Alto) -> None:
    # given an account that is only an address yet
    account = account_of(user)
    assert not accounts.is_deployed(account)

    # when
    operation = operations.build(account, [send_ether(5)], sponsored=False)
    assert operation.status == "built"
    assert operation.factory is not None
    assert submit(user, operation).status == "submitted"
    wait_for(operation, "included")

    # then
    assert balance(NOBODY) == 5
    assert operation.gas_cost is not None
    assert 0 < operation.gas_cost <= operation.max_gas_cost
    assert accounts.is_deployed(account)
    assert entry_point.nonce_of(default_network(), account.address) == 1
    assert operation.bundler == "127.0.0.1"

    # and the next one carries no deployment
    second = operations.build(account, [send_ether(5)], sponsored=False)
    assert (second.factory, second.nonce) == (None, 1)


def test_several_calls_are_done_together(user: User, bundler: Alto) -> None:
    account = account_of(user)
    operation = operations.build(account, [send_ether(5), send_ether(6)], sponsored=False)
    wait_for(submit(user, operation), "included")
    assert balance(NOBODY) == 11
