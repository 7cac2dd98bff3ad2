"""The profile: name, wallets, purchases, runs, signing out."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.factories.executions import ExecutionFactory
from tests.factories.marketplace import PurchaseFactory
from tests.factories.wallets import LinkedWalletFactory
from tests.pages import SignIn, said, text
from wallets.models import LinkedWallet, User

pytestmark = pytest.mark.django_db


def test_the_profile_is_for_people_signed_in(client: Client) -> None:
    assert client.get("/profile/")["Location"] == "/?connect=1&next=/profile/"


def test_it_shows_own_wallets_purchases_and_runs_only(signed_in: SignIn, user: User, stranger: User) -> None:
    mine, theirs = PurchaseFactory.create(buyer=user), PurchaseFactory.create(buyer=stranger)
    run, other = ExecutionFactory.create(user=user), ExecutionFactory.create(user=stranger)
    shown = text(signed_in(user).get("/profile/"))
    assert str(user.primary_address) in shown
    assert str(stranger.primary_address) not in shown
    assert str(mine.pk) in shown
    assert str(theirs.pk) not in shown
    assert str(run.pk) in shown
    assert str(other.pk) not in shown


def test_it_starts_empty_with_a_way_on(signed_in: SignIn, user: User) -> None:
    shown = text(signed_in(user).get("/profile/"))
    assert "Nothing bought yet" in shown
    assert "No runs yet" in shown


def test_lapsed_offers_are_not_listed(signed_in: SignIn, user: User) -> None:
    lapsed = PurchaseFactory.create(buyer=user, status="lapsed")
    assert str(lapsed.pk) not in text(signed_in(user).get("/profile/"))


def test_it_costs_the_same_however_much_was_bought(
    signed_in: SignIn, user: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    PurchaseFactory.create_batch(4, buyer=user)
    ExecutionFactory.create_batch(4, user=user)
    client = signed_in(user)
    with django_assert_max_num_queries(10):
        client.get("/profile/")


def test_the_name_is_changed_and_shown_in_the_head(signed_in: SignIn, user: User) -> None:
    client = signed_in(user)
    response = client.post("/profile/", {"display_name": "Ada"})
    assert response["Location"] == "/profile/"
    assert said(response) == ["Your name is saved."]
    assert "Account menu of Ada" in text(client.get("/profile/"))


def test_a_name_too_long_is_refused_and_not_taken(signed_in: SignIn, user: User) -> None:
    response = signed_in(user).post("/profile/", {"display_name": "x" * 51})
    assert response.status_code == 422
    assert "at most 50 characters" in text(response)
    user.refresh_from_db()
    assert user.display_name == ""


def test_the_only_wallet_cannot_be_unlinked(signed_in: SignIn, user: User) -> None:
    address = str(user.primary_address)
    response = signed_in(user).post(reverse("wallets:unlink", args=[address]))
    assert said(response) == [
        "This wallet is the only way into your account. Link another wallet or add a passkey first."
    ]
    assert user.wallets.count() == 1
    assert reverse("wallets:unlink", args=[address]) not in text(signed_in(user).get("/profile/"))


def test_a_second_wallet_can_become_the_primary_one_and_be_unlinked(signed_in: SignIn, user: User) -> None:
    second: LinkedWallet = LinkedWalletFactory.create(user=user)
    client = signed_in(user)
    client.post(reverse("wallets:make-primary", args=[second.address]))
    assert User.objects.get(pk=user.pk).primary_address == second.address
    response = client.post(reverse("wallets:unlink", args=[second.address]))
    assert said(response)[-1] == "The wallet is unlinked and can no longer sign in here."
    assert user.wallets.count() == 1


@pytest.mark.parametrize("name", ["wallets:unlink", "wallets:make-primary"])
def test_wallets_of_others_are_out_of_reach(
    client: Client, signed_in: SignIn, user: User, stranger: User, name: str
) -> None:
    address = str(stranger.primary_address)
    response = signed_in(user).post(reverse(name, args=[address]))
    assert said(response) == ["This address is not one of your wallets."]
    assert client.post(reverse(name, args=[address])).status_code == 302
    assert signed_in(user).get(reverse(name, args=[address])).status_code == 405
    assert stranger.wallets.count() == 1


def test_an_address_with_a_wrong_checksum_is_no_address(signed_in: SignIn, user: User) -> None:
    address = str(user.primary_address)
    wrong = "0x" + address[2:].swapcase()
    assert signed_in(user).post(f"/profile/wallets/{wrong}/unlink/").status_code == 404


def test_signing_out_ends_the_session(signed_in: SignIn, user: User) -> None:
    client = signed_in(user)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/"
    assert client.get("/profile/").status_code == 302


def test_forms_need_their_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="wallets.signin.backends.WalletBackend")
    response = client.post("/sign-out/")
    assert response.status_code == 403
    assert "This form is out of date" in text(response)
    assert client.get("/profile/").status_code == 200
