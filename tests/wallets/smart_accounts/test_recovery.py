"""A second passkey for an account, and a lost one taken away, by operations on a real chain."""

import pytest

from chain.networks import default_network
from chain.rpc import pool_of
from deploy.local.engines import Alto
from tests.account_fixtures import ApiFor
from tests.chain_fixtures import mine_blocks
from tests.factories.wallets import UserFactory
from tests.wallets.smart_accounts.authenticator import Authenticator
from tests.wallets.smart_accounts.helpers import NOBODY, account_of, balance, give, look, send_ether, wait_for
from wallets.models import SmartAccount, User, UserOperation
from wallets.smart_accounts import accounts, keys, operations, passkeys, recovery
from wallets.smart_accounts.errors import PasskeyError, SignatureInvalidError, WrongStateError
from wallets.smart_accounts.passkeys import Passkey, written
from wallets.smart_accounts.signing import Assertion

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db: None) -> User:
    """Somebody without any wallet."""
    return UserFactory.create(email="ann@example.org")


def made(person: User, authenticator: Authenticator) -> Passkey:
    return passkeys.registered(person, authenticator.register(passkeys.registration_options(person)))


def opened(person: User, authenticator: Authenticator) -> SmartAccount:
    account = accounts.open_for_passkey(person, made(person, authenticator), default_network())
    give(account.address, 10**18)
    return account


def hand_over(person: User, operation: UserOperation, authenticator: Authenticator) -> UserOperation:
    assertion = Assertion.of(authenticator.sign(bytes.fromhex(operation.user_op_hash[2:])))
    return operations.submit(person, operation, assertion)


def names(account: SmartAccount) -> list[str]:
    found = SmartAccount.objects.get(pk=account.pk)
    return [key.credential for key in keys.owners(found)]


def test_a_backup_opens_the_account_and_takes_the_place_of_a_lost_passkey(person: User, bundler: Alto) -> None:
    # given an account that is only an address yet
    first, backup = Authenticator(), Authenticator()
    account = opened(person, first)
    one, two = written(first.credential_id), written(backup.credential_id)
    # when a backup is added, then it owns nothing before the operation is in a block
    operation = recovery.add_backup(account, made(person, backup))
    assert operation.purpose == "Add a backup passkey"
    with pytest.raises(SignatureInvalidError, match="Another passkey signed"):
        hand_over(person, operation, backup)
    assert names(account) == [one]
    wait_for(hand_over(person, operation, first), "included")
    assert names(account) == [one, two]

    # when the first is lost, then the backup pays
    account = SmartAccount.objects.get(pk=account.pk)
    wait_for(hand_over(person, operations.build(account, [send_ether(5)], sponsored=False), backup), "included")
    assert balance(NOBODY) == 5

    # and removes the lost one, which cannot sign its own removal
    removal = recovery.remove(account, one)
    with pytest.raises(SignatureInvalidError, match="the one that stays"):
        hand_over(person, removal, first)
    wait_for(hand_over(person, removal, backup), "included")
    assert names(account) == [two]
    account = SmartAccount.objects.get(pk=account.pk)
    later = operations.build(account, [send_ether(5)], sponsored=False)
    with pytest.raises(SignatureInvalidError):
        hand_over(person, later, first)
    with pytest.raises(WrongStateError, match="Nobody could open"):
        recovery.remove(account, two)


def test_a_reorg_takes_a_backup_back(person: User, bundler: Alto) -> None:
    first, backup = Authenticator(), Authenticator()
    account = opened(person, first)
    pool = pool_of(default_network())
    snapshot = pool.call("evm_snapshot")
    operation = wait_for(hand_over(person, recovery.add_backup(account, made(person, backup)), first), "included")
    assert len(names(account)) == 2
    pool.call("evm_revert", snapshot)
    mine_blocks(default_network(), 1)
    look(operation)
    assert operation.status == "unknown"
    assert names(account) == [written(first.credential_id)]


def test_who_may_have_a_backup_and_which(person: User, user: User, bundler: Alto) -> None:
    first = Authenticator()
    account = opened(person, first)
    with pytest.raises(PasskeyError, match="owns the account already"):
        recovery.add_backup(account, made(person, first))
    with pytest.raises(PasskeyError, match="does not own"):
        recovery.remove(account, "AAAA")
    with pytest.raises(WrongStateError, match="A wallet owns this account"):
        recovery.add_backup(account_of(user), made(user, Authenticator()))
    wait_for(hand_over(person, recovery.add_backup(account, made(person, Authenticator())), first), "included")
    with pytest.raises(WrongStateError, match="has a backup already"):
        recovery.add_backup(SmartAccount.objects.get(pk=account.pk), made(person, Authenticator()))


def test_over_the_api_a_device_that_has_one_is_left_out(person: User, bundler: Alto, api: ApiFor) -> None:
    first, backup = Authenticator(), Authenticator()
    account = opened(person, first)
    client, path = api(person), f"/api/v1/smart-accounts/{account.pk}/passkeys"
    options = client.post("/api/v1/smart-accounts/passkey-options", {"account": str(account.pk)}).json()
    assert [each["id"] for each in options["publicKey"]["excludeCredentials"]] == [written(first.credential_id)]
    answer = client.post(path, {"credential": backup.register(options)})
    assert answer.status_code == 201, answer.json()
    assert [each["credential_id"] for each in answer.json()["signers"]] == [written(first.credential_id)]
    # a challenge is good once, and the last passkey stays
    assert client.post(path, {"credential": backup.register(options)}).json()["code"] == "passkey_invalid"
    assert client.post(f"{path}/{written(first.credential_id)}/remove").json()["code"] == "wrong_state"
