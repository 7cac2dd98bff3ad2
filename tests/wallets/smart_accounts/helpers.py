"""Signing and waiting, for the tests of smart accounts."""

import time
from collections.abc import Callable

from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from chain.calls import Call
from chain.networks import default_network
from chain.rpc import pool_of
from wallets.models import SmartAccount, User, UserOperation
from wallets.smart_accounts import accounts, following, operations

SECONDS = 20
NOBODY = "0x000000000000000000000000000000000000bEEF"


def account_of(user: User, eth: int = 10**18) -> SmartAccount:
    """The smart account of the user's wallet, with so many wei."""
    account = accounts.open_for_wallet(user, user.addresses()[0], default_network())
    give(account.address, eth)
    return account


def give(address: str, eth: int) -> None:
    """Set a balance, in wei."""
    pool_of(default_network()).call("anvil_setBalance", address, hex(eth))


def send_ether(value: int = 10**15, to: str = NOBODY) -> Call:
    """A plain transfer."""
    return Call(default_network().chain_id, to, b"", value)


def signed(key: LocalAccount, operation: UserOperation) -> str:
    """What the owner's wallet answers."""
    message = encode_defunct(hexstr=operation.user_op_hash)
    return "0x" + bytes(key.sign_message(message).signature).hex()


def submit(user: User, operation: UserOperation) -> UserOperation:
    """Sign with the user's wallet and hand over."""
    return operations.submit(user, operation, signed(user.account, operation))  # type: ignore[attr-defined]


def wait_for(operation: UserOperation, *statuses: str) -> UserOperation:
    """Follow until it has one of the statuses."""
    return wait_until(operation, lambda: operation.status in statuses, f"{operation.pk} is not {statuses}")


def wait_until(operation: UserOperation, done: Callable[[], bool], what: str) -> UserOperation:
    """Follow until `done()`."""
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline, f"{what}: {operation.status} {operation.code} {operation.detail}"
        look(operation)
    return operation


def look(operation: UserOperation) -> UserOperation:
    """Follow now, however short ago it was asked about."""
    UserOperation.objects.filter(pk=operation.pk).update(checked_at=None)
    operation.refresh_from_db()
    following.follow(operation)
    operation.refresh_from_db()
    return operation


def balance(address: str) -> int:
    """Wei."""
    return int(pool_of(default_network()).call("eth_getBalance", address, "latest"), 16)
