"""Accounts that a passkey owns: made, signed with on a real chain, and everything else refused."""

from typing import Any

import pytest
from django.test import override_settings

from chain.networks import default_network
from deploy.local.engines import Alto
from tests.factories.wallets import UserFactory
from tests.wallets.smart_accounts.authenticator import PRESENT, Authenticator
from tests.wallets.smart_accounts.helpers import NOBODY, balance, give, send_ether, wait_for
from wallets.models import SmartAccount, User
from wallets.smart_accounts import accounts, gas, operations, passkeys
from wallets.smart_accounts.errors import AccountTakenError, PasskeyError, SignatureInvalidError
from wallets.smart_accounts.signing import Assertion

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(db: None) -> User:
    """Somebody without any wallet."""
    return UserFactory.create(email="ann@example.org")


def opened(person: User, authenticator: Authenticator, eth: int = 10**18) -> SmartAccount:
    """The account of a new passkey."""
    made = authenticator.register(passkeys.registration_options(person))
    account = accounts.open_for_passkey(person, passkeys.registered(person, made), default_network())
    give(account.address, eth)
    return account


def test_a_passkey_pays_from_its_account(person: User, bundler: Alto) -> None:
    # given
    authenticator = Authenticator()
    account = opened(person, authenticator)
    assert person.addresses() == [account.address]

    # when an operation is signed whose s may be in either half
    for number in range(1, 4):
        operation = operations.build(account, [send_ether(5)], sponsored=False)
        assertion = Assertion.of(authenticator.sign(bytes.fromhex(operation.user_op_hash[2:])))
        wait_for(operations.submit(person, operation, assertion), "included")

        # then
        assert balance(NOBODY) == 5 * number
    assert accounts.is_deployed(account)


def test_the_chain_has_the_precompile_and_gas_is_left_for_it(person: User, bundler: Alto) -> None:
    assert gas.has_p256_precompile(default_network())
    operation = operations.build(opened(person, Authenticator()), [send_ether()], sponsored=False)
    assert operation.verification_gas_limit < 500_000


def test_only_its_own_passkey_signs_over_the_right_thing_with_the_person_verified(person: User, bundler: Alto) -> None:
    authenticator = Authenticator()
    account = opened(person, authenticator)
    operation = operations.build(account, [send_ether()], sponsored=False)
    digest = bytes.fromhex(operation.user_op_hash[2:])
    good = authenticator.sign(digest)
    bad: list[tuple[dict[str, Any], str]] = [
        (Authenticator().sign(digest), "Another passkey signed"),
        (authenticator.sign(b"\x01" * 32), "signed something else"),
        (authenticator.sign(digest, flags=PRESENT), "did not verify you"),
        ({**good, "signature": "AAAA"}, "not a passkey's signature"),
        ({**good, "clientDataJSON": "e30"}, "challenge is missing"),
        ({**good, "clientDataJSON": "!!"}, "not base64url"),
        ({**good, "authenticatorData": None}, "is missing"),
    ]
    for given, sentence in bad:
        with pytest.raises(SignatureInvalidError, match=sentence):
            operations.submit(person, operation, Assertion.of(given))
    with pytest.raises(SignatureInvalidError, match="owner is a passkey"):
        operations.submit(person, operation, "0x" + "11" * 64 + "1b")
    operation.refresh_from_db()
    assert operation.status == "built"


def test_what_the_browser_answers_is_checked(person: User, bundler: Alto) -> None:
    authenticator = Authenticator()

    def refused(credential: dict[str, Any], sentence: str) -> None:
        with pytest.raises(PasskeyError, match=sentence):
            passkeys.registered(person, credential)

    options = passkeys.registration_options(person)
    assert options["publicKey"]["pubKeyCredParams"] == [{"type": "public-key", "alg": -7}]
    assert options["publicKey"]["rp"]["id"] == "localhost"
    assert options["publicKey"]["authenticatorSelection"]["userVerification"] == "required"
    passkeys.registered(person, authenticator.register(options))
    refused(authenticator.register(options), "used already")  # a challenge is good once
    for other in (Authenticator(origin="https://evil.example"), Authenticator(rp_id="evil.example")):
        refused(other.register(passkeys.registration_options(person)), "could not be checked")
    refused(authenticator.register(passkeys.registration_options(person), flags=PRESENT), "could not be checked")
    passkeys.registration_options(person)
    refused({"id": "x"}, "could not be checked")
    wrong = authenticator.register({"publicKey": {"challenge": "AAAA"}})
    passkeys.registration_options(person)
    refused(wrong, "could not be checked")


def test_two_registrations_never_share_an_authenticator_slot(person: User) -> None:
    handles = {passkeys.registration_options(person)["publicKey"]["user"]["id"] for _ in range(3)}
    assert len(handles) == 3  # the same handle would overwrite the key of an account with money in it


def test_a_passkey_owns_one_account(person: User, bundler: Alto) -> None:
    authenticator = Authenticator()
    opened(person, authenticator)
    made = authenticator.register(passkeys.registration_options(person))
    with pytest.raises(AccountTakenError):
        accounts.open_for_passkey(person, passkeys.registered(person, made), default_network())


@override_settings(WEBAUTHN_RP_ID="agents.example")
def test_the_domain_comes_from_the_settings(person: User) -> None:
    assert passkeys.registration_options(person)["publicKey"]["rp"]["id"] == "agents.example"
