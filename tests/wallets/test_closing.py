"""Deleting an account: who may, what goes, what stays."""

import time

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from tests import second_factor
from tests.factories.executions import ExecutionFactory
from tests.factories.marketplace import PublishedAgentFactory, PurchaseFactory
from tests.wallets.sign_in import Browser
from wallets.credentials import api_keys, tokens
from wallets.credentials.models import Scope
from wallets.errors import ApiKeyError, StaffAccountError, TokenError
from wallets.models import BrowserSession, LinkedWallet, User
from wallets.signin import closing

pytestmark = pytest.mark.django_db
CLOSE = "/profile/security/close/"


def signed_in(user: User) -> Browser:
    browser = Browser(user.account)  # type: ignore[attr-defined]
    browser.sign_in()
    return browser


def test_the_person_goes_and_the_ledger_stays(user: User) -> None:
    # given somebody with everything that an account can have
    user.display_name, user.email = "Ada", "ada@example.org"
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    second_factor.set_up(user)
    purchase, execution = PurchaseFactory.create(buyer=user), ExecutionFactory.create(user=user)
    pair, key = tokens.issue(user), api_keys.create(user, "key", [Scope.AGENTS_READ]).text
    browser = signed_in(user)
    # when the account is deleted
    closing.close(user)
    # then nothing says who it was, and nothing signs in
    kept = User.objects.get(pk=user.pk)
    assert (kept.email, kept.display_name, kept.shown_name, kept.is_active) == (None, "", "Deleted account", False)
    assert not kept.has_usable_password()
    for model in (EmailAddress, Authenticator, LinkedWallet, BrowserSession):
        assert not model.objects.filter(user=user).exists(), model
    assert browser.client.get("/api/v1/me").status_code == 401
    with pytest.raises(TokenError):
        tokens.authenticate(pair.access)
    with pytest.raises(ApiKeyError):
        api_keys.authenticate(key)
    # but what was bought and run is in the books
    purchase.refresh_from_db()
    execution.refresh_from_db()
    assert (purchase.buyer_id, execution.user_id) == (user.pk, user.pk)


def test_agents_on_sale_are_taken_off_the_market(user: User) -> None:
    agent = PublishedAgentFactory.create(creator=user)
    closing.close(user)
    agent.refresh_from_db()
    assert agent.status == "archived"


def test_the_wallet_is_free_to_enter_anew(user: User) -> None:
    closing.close(user)
    browser = signed_in(user)
    assert browser.client.get("/api/v1/me").json()["id"] != str(user.pk)


def test_the_page_wants_a_word_and_a_fresh_proof(user: User) -> None:
    browser = signed_in(user)
    assert browser.post_form(CLOSE, {"word": "delete"}).status_code == 422
    assert User.objects.get(pk=user.pk).is_active
    # an old proof is not enough
    session = browser.client.session
    session["account_authentication_methods"] = [{"method": "wallet", "at": time.time() - 3600}]
    session.save()
    asked = browser.client.get(CLOSE)
    assert (asked.status_code, asked["Location"]) == (302, "/profile/confirm/?next=%2Fprofile%2Fsecurity%2Fclose%2F")
    browser.post_form(CLOSE, {"word": "DELETE"})
    assert User.objects.get(pk=user.pk).is_active
    # a fresh one is
    browser = signed_in(user)
    assert browser.post_form(CLOSE, {"word": "DELETE"})["Location"] == "/"
    assert not User.objects.get(pk=user.pk).is_active


def test_who_has_a_second_factor_must_give_it(user: User) -> None:
    second_factor.set_up(user)
    browser = signed_in(user)
    response = browser.client.get(CLOSE)
    assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("mfa_reauthenticate"))
    browser.post_form(CLOSE, {"word": "DELETE"})
    assert User.objects.get(pk=user.pk).is_active


def test_staff_do_not_delete_themselves(staff: User) -> None:
    with pytest.raises(StaffAccountError):
        closing.close(staff)
    assert User.objects.get(pk=staff.pk).email == staff.email


def test_other_rooms_do_their_part_in_the_same_transaction(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_: User) -> None:
        raise RuntimeError

    monkeypatch.setattr(closing, "_subscribers", [refuses])
    with pytest.raises(RuntimeError):
        closing.close(user)
    assert User.objects.get(pk=user.pk).is_active
    assert user.wallets.count() == 1


def test_nobody_deletes_without_being_signed_in() -> None:
    assert Client().post(CLOSE, {"word": "DELETE"}).status_code == 302
