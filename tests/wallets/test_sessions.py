"""The list of places where one is signed in, and ending them one by one or all at once."""

from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from tests.account_fixtures import ApiFor
from tests.factories.wallets import STAFF_PASSWORD, LinkedWalletFactory
from tests.wallets.sign_in import LOGOUT, ME, Browser
from wallets.credentials import tokens
from wallets.models import BrowserSession, User
from wallets.signin import linked
from wallets.tasks import clear_expired

pytestmark = pytest.mark.django_db
SESSIONS = "/api/v1/sessions"


def test_the_list_names_browsers_and_programs_and_which_is_this() -> None:
    # given one user in two browsers and with a program
    first = Browser()
    first.client.defaults["HTTP_USER_AGENT"] = "Firefox on Linux"
    first.sign_in()
    second = Browser(first.account)
    second.client.defaults["REMOTE_ADDR"] = "203.0.113.7"
    second.sign_in()
    program = Browser(first.account)
    token = program.sign_in(mode="token")["access"]
    # when the first browser asks
    listed = first.client.get(SESSIONS).json()
    # then all three are there, newest first, and it finds itself
    assert [(entry["kind"], entry["current"]) for entry in listed] == [
        ("program", False),
        ("browser", False),
        ("browser", True),
    ]
    assert (listed[2]["user_agent"], listed[1]["ip"]) == ("Firefox on Linux", "203.0.113.7")
    assert {entry["address"] for entry in listed} == {first.account.address}
    # and the program finds itself
    by_program = program.client.get(SESSIONS, HTTP_AUTHORIZATION=f"Bearer {token}").json()
    assert [entry["current"] for entry in by_program] == [True, False, False]


def test_ending_another_browser_signs_it_out_at_once() -> None:
    here = Browser()
    here.sign_in()
    there = Browser(here.account)
    there.sign_in()
    other = next(entry for entry in here.client.get(SESSIONS).json() if not entry["current"])
    assert here.delete(f"{SESSIONS}/{other['id']}").status_code == 204
    assert there.client.get(ME).status_code == 401
    assert len(here.client.get(SESSIONS).json()) == 1


def test_ending_a_program_revokes_its_tokens() -> None:
    here = Browser()
    here.sign_in()
    token = Browser(here.account).sign_in(mode="token")["access"]
    other = next(entry for entry in here.client.get(SESSIONS).json() if entry["kind"] == "program")
    assert here.delete(f"{SESSIONS}/{other['id']}").status_code == 204
    assert Browser().client.get(ME, HTTP_AUTHORIZATION=f"Bearer {token}").json()["code"] == "token_revoked"


def test_signing_out_everywhere_else_leaves_only_this() -> None:
    here = Browser()
    here.sign_in()
    there = Browser(here.account)
    there.sign_in()
    token = Browser(here.account).sign_in(mode="token")["access"]
    assert here.delete(SESSIONS).status_code == 204
    assert here.client.get(ME).status_code == 200
    assert there.client.get(ME).status_code == 401
    assert Browser().client.get(ME, HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


def test_a_program_signing_out_everywhere_else_keeps_its_own_tokens(user: User, api: ApiFor) -> None:
    client = api(user)
    tokens.issue(user)
    assert client.delete(SESSIONS).status_code == 204
    assert [entry["current"] for entry in client.get(SESSIONS).json()] == [True]


def test_nobody_ends_anothers_session(user: User, api: ApiFor) -> None:
    victim = Browser()
    victim.sign_in()
    family = Browser(victim.account).sign_in(mode="token")
    for session_id in (*[entry["id"] for entry in victim.client.get(SESSIONS).json()], uuid4()):
        response = api(user).delete(f"{SESSIONS}/{session_id}")
        assert (response.status_code, response.json()["code"]) == (404, "session_not_found")
    assert victim.client.get(ME).status_code == 200
    assert Browser().client.get(ME, HTTP_AUTHORIZATION=f"Bearer {family['access']}").status_code == 200


def test_logout_takes_the_session_off_the_list() -> None:
    browser = Browser()
    browser.sign_in()
    browser.post(LOGOUT)
    assert not BrowserSession.objects.exists()


def test_an_e_mail_login_is_on_the_list_too(staff: User) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": staff.email, "password": STAFF_PASSWORD})
    listed = client.get(SESSIONS).json()
    assert [(entry["kind"], entry["current"], entry["address"]) for entry in listed] == [("browser", True, None)]


def test_unlinking_a_wallet_signs_out_the_browsers_it_had_signed_in() -> None:
    # given a user with two wallets, each in a browser of its own
    first = Browser()
    first.sign_in()
    user = User.objects.get()
    wallet = LinkedWalletFactory.create(user=user)
    second = Browser(wallet.account)  # type: ignore[attr-defined]
    second.sign_in()
    # when the second wallet is unlinked
    linked.unlink(user, wallet.address)
    # then its browser is out, and the other is not
    assert second.client.get(ME).status_code == 401
    assert first.client.get(ME).status_code == 200


def test_the_chore_forgets_rows_whose_session_is_gone() -> None:
    gone, here = Browser(), Browser()
    gone.sign_in()
    here.sign_in()
    Session.objects.filter(session_key=gone.client.cookies["sessionid"].value).delete()
    clear_expired()
    assert BrowserSession.objects.get().session_key == here.client.cookies["sessionid"].value
