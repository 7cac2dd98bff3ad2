"""Linking wallets, unlinking them (never the last way in), choosing the primary one, and the signed-in user."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from eth_account import Account

from tests.account_fixtures import ApiFor, sign_siwe, user_with_wallet
from tests.factories.wallets import LinkedWalletFactory, UserFactory
from tests.wallets.sign_in import ME, NONCE, WALLETS, Browser
from wallets.credentials import tokens
from wallets.errors import LastWayInError, TokenError
from wallets.models import LinkedWallet, User
from wallets.signin import linked

pytestmark = pytest.mark.django_db


def test_a_second_wallet_is_linked_by_its_signature_and_then_signs_in(user: User, api: ApiFor) -> None:
    # given a signed-in user and another account in the wallet
    client, second = api(user), Account.create()
    asked = client.post(NONCE, {"address": second.address, "purpose": "link"}).json()
    assert "Link this wallet to my AgentNexus account." in asked["message"]
    # when that account signs
    response = client.post(WALLETS, {"message": asked["message"], "signature": sign_siwe(second, asked["message"])})
    # then it belongs to the user, not as primary, and enters the same account
    assert response.status_code == 201
    assert (response.json()["address"], response.json()["is_primary"]) == (second.address, False)
    assert Browser(second).sign_in()["user"]["id"] == str(user.pk)
    listed = client.get(WALLETS).json()
    assert [wallet["address"] for wallet in listed] == [user.primary_address, second.address]
    assert user.addresses() == [user.primary_address, second.address]


def test_a_wallet_of_another_account_cannot_be_linked(user: User, stranger: User, api: ApiFor) -> None:
    client = api(user)
    account = stranger.account  # type: ignore[attr-defined]
    message = client.post(NONCE, {"address": account.address, "purpose": "link"}).json()["message"]
    response = client.post(WALLETS, {"message": message, "signature": sign_siwe(account, message)})
    assert (response.status_code, response.json()["code"]) == (409, "wallet_taken")
    assert LinkedWallet.objects.get(address=account.address).user == stranger


def test_linking_ones_own_wallet_again_changes_nothing(user: User, api: ApiFor) -> None:
    client, account = api(user), user.account  # type: ignore[attr-defined]
    message = client.post(NONCE, {"address": account.address, "purpose": "link"}).json()["message"]
    response = client.post(WALLETS, {"message": message, "signature": sign_siwe(account, message)})
    assert (response.status_code, response.json()["is_primary"]) == (201, True)
    assert user.wallets.count() == 1


def test_the_first_wallet_of_an_account_without_any_is_primary(staff: User, api: ApiFor) -> None:
    client, account = api(staff), Account.create()
    message = client.post(NONCE, {"address": account.address, "purpose": "link"}).json()["message"]
    response = client.post(WALLETS, {"message": message, "signature": sign_siwe(account, message)})
    assert response.json()["is_primary"] is True


def test_the_last_way_in_cannot_be_unlinked(user: User, api: ApiFor) -> None:
    response = api(user).delete(f"{WALLETS}/{user.primary_address}")
    assert (response.status_code, response.json()["code"]) == (409, "last_way_in")
    assert user.wallets.count() == 1


@pytest.mark.parametrize("verified", [True, False])
def test_a_verified_e_mail_with_password_is_a_way_in(verified: bool, user: User, api: ApiFor) -> None:
    user.email = "ann@example.org"
    user.set_password("correct-horse-battery")
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    response = api(user).delete(f"{WALLETS}/{user.primary_address}")
    assert response.status_code == (204 if verified else 409)


def test_unlinking_the_primary_wallet_makes_the_oldest_other_one_primary(user: User, api: ApiFor) -> None:
    second, third = LinkedWalletFactory.create(user=user), LinkedWalletFactory.create(user=user)
    response = api(user).delete(f"{WALLETS}/{str(user.primary_address).lower()}")
    assert response.status_code == 204
    assert [(w.address, w.is_primary) for w in user.wallets.order_by("pk")] == [
        (second.address, True),
        (third.address, False),
    ]


def test_unlinking_ends_the_tokens_that_wallet_had_signed_for(user: User) -> None:
    # given tokens begun with a second wallet, and others begun with the first
    second = LinkedWalletFactory.create(user=user)
    by_second = tokens.issue(user, address=second.address)
    by_first = tokens.issue(user, address=user.primary_address)
    # when the second is unlinked
    linked.unlink(user, second.address)
    # then only its tokens are dead
    with pytest.raises(TokenError) as caught:
        tokens.authenticate(by_second.access)
    assert caught.value.code == "token_revoked"
    assert tokens.authenticate(by_first.access).user == user


def test_nobody_unlinks_or_promotes_anothers_wallet(user: User, stranger: User, api: ApiFor) -> None:
    LinkedWalletFactory.create(user=stranger)
    client = api(user)
    path = f"{WALLETS}/{stranger.primary_address}"
    for response in (client.delete(path), client.post(f"{path}/primary")):
        assert (response.status_code, response.json()["code"]) == (404, "wallet_not_linked")
    assert stranger.wallets.count() == 2


@pytest.mark.parametrize("address", ["0x12", "me", "0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045"])
def test_an_address_that_is_none_is_named(address: str, user: User, api: ApiFor) -> None:
    response = api(user).delete(f"{WALLETS}/{address}")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_address")


def test_the_primary_wallet_can_be_chosen(user: User, api: ApiFor) -> None:
    second = LinkedWalletFactory.create(user=user)
    response = api(user).post(f"{WALLETS}/{second.address}/primary")
    assert (response.status_code, response.json()["is_primary"]) == (200, True)
    assert [wallet.address for wallet in user.wallets.filter(is_primary=True)] == [second.address]
    assert api(user).get(ME).json()["primary_address"] == second.address


def test_the_database_holds_one_owner_per_address_and_one_primary_per_user(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        LinkedWallet.objects.create(user=UserFactory.create(), address=user.addresses()[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        LinkedWalletFactory.create(user=user, is_primary=True)


@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_unlinks_leave_one_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    # given two unlinks that would both have looked before either of them took a wallet away
    user = user_with_wallet()
    LinkedWalletFactory.create(user=user)
    both_looking = threading.Barrier(2)
    own = linked._own

    def own_when_both_look(*args: Any) -> LinkedWallet:
        # the user's lock lets only one of them get here, who then waits in vain
        with suppress(threading.BrokenBarrierError):
            both_looking.wait(timeout=1)
        return own(*args)

    monkeypatch.setattr(linked, "_own", own_when_both_look)

    def unlink(address: str) -> str:
        try:
            linked.unlink(user, address)
        except LastWayInError as exc:
            return exc.code
        finally:
            connection.close()
        return "unlinked"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(unlink, user.addresses()))
    assert outcomes == ["last_way_in", "unlinked"]
    assert user.wallets.get().is_primary is True


@pytest.mark.parametrize("path", [ME, WALLETS])
def test_the_anonymous_see_nothing(path: str, api: ApiFor) -> None:
    response = api(None).get(path)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_me_shows_the_user_and_takes_a_display_name(user: User, api: ApiFor) -> None:
    client = api(user)
    address = str(user.primary_address)
    assert client.get(ME).json()["shown_name"] == f"{address[:6]}…{address[-4:]}"
    response = client.patch(ME, {"display_name": "  Ann  "})
    assert (response.status_code, response.json()["shown_name"]) == (200, "Ann")
    assert client.get(ME).json()["display_name"] == "Ann"


@pytest.mark.parametrize("name", ["x" * 51, "two\nlines", "back\u202ewards", "bell\x07"])
def test_a_display_name_that_could_mislead_is_refused(name: str, user: User, api: ApiFor) -> None:
    response = api(user).patch(ME, {"display_name": name})
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/display_name"


def test_a_user_cannot_make_himself_staff(user: User, api: ApiFor) -> None:
    response = api(user).patch(ME, {"is_staff": True, "email": "root@example.org", "id": "0", "is_superuser": True})
    user.refresh_from_db()
    assert response.status_code == 200
    assert (user.is_staff, user.is_superuser, user.email) == (False, False, None)
