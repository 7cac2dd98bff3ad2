"""Accounts of staff: made by administrators and commands, and the administration behind a second factor."""

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from tests import second_factor
from tests.factories.executions import ExecutionFactory
from tests.factories.wallets import STAFF_PASSWORD, StaffFactory
from tests.wallets.sign_in import Browser
from wallets.models import User
from wallets.signin import suspension

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
SECOND_FACTOR = "/profile/second-factor/"


def log_in(client: Client, user: User, password: str = STAFF_PASSWORD, path: str = LOGIN) -> tuple[int, str]:
    """Status and target of the answer to the login form."""
    response = client.post(path, {"login": user.email, "password": password})
    return response.status_code, response.headers.get("Location", "")


def enrol(client: Client) -> None:
    """Set up an authenticator app on the page for it."""
    client.get(reverse("mfa_activate_totp"))
    code = second_factor.code(client.session["mfa.totp.secret"])
    response = client.post(reverse("mfa_activate_totp"), {"code": code})
    assert (response.status_code, response["Location"]) == (302, reverse("mfa_view_recovery_codes"))


def test_createsuperuser_needs_only_an_e_mail_and_that_account_can_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    # given an administrator made on the command line
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", STAFF_PASSWORD)
    call_command("createsuperuser", "--noinput", "--email", "Root@Example.org", stdout=StringIO())
    user = User.objects.get()
    assert (user.email, user.is_staff, user.is_superuser) == ("root@example.org", True, True)
    assert EmailAddress.objects.get(user=user).verified is True
    # when they log in for the admin
    client = Client()
    assert log_in(client, user, path=f"{LOGIN}?next=/admin/") == (302, "/admin/")
    # then they are asked to set up a second factor first
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == f"{SECOND_FACTOR}?next=%2Fadmin%2F"
    # and when they have, they are in
    enrol(client)
    assert client.get("/admin/").status_code == 200


def test_without_a_second_factor_nothing_of_the_administration_opens(staff: User) -> None:
    client = Client()
    log_in(client, staff)
    for path in ("/admin/", "/admin/wallets/user/", f"/admin/wallets/user/{staff.pk}/change/", "/admin/search/?s=a"):
        assert client.get(path).status_code == 302, path
    client.post("/admin/wallets/user/", {"action": "suspend_users", "_selected_action": [str(staff.pk)]})
    assert client.get("/api/v1/me").status_code == 200


def test_a_wallet_is_no_second_factor(user: User) -> None:
    # given a member of staff who entered with a wallet
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    browser = Browser(user.account)  # type: ignore[attr-defined]
    browser.sign_in()
    assert browser.client.get("/admin/").status_code == 302
    # when there is an app, its code is asked for
    secret = second_factor.set_up(user)
    asked = browser.client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1][0] == "/accounts/2fa/reauthenticate/?next=%2Fadmin%2F"
    # then a wrong one opens nothing, and the right one does
    where = reverse("mfa_reauthenticate")
    assert browser.post_form(where, {"code": "000000", "next": "/admin/"}).status_code == 200
    assert browser.client.get("/admin/").status_code == 302
    answered = browser.post_form(where, {"code": second_factor.code(secret), "next": "/admin/"})
    assert (answered.status_code, answered["Location"]) == (302, "/admin/")
    assert browser.client.get("/admin/").status_code == 200


def test_adding_a_further_factor_does_not_stand_for_the_first(user: User) -> None:
    """Somebody with a stolen wallet must not get in by adding an app of their own beside the owner's passkey."""
    # given staff with a passkey, entered by wallet
    User.objects.filter(pk=user.pk).update(is_staff=True)
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={"name": "x", "credential": {}})
    browser = Browser(user.account)  # type: ignore[attr-defined]
    browser.sign_in()
    # when an app is to be added, then the passkey is asked for first
    response = browser.client.get(reverse("mfa_activate_totp"))
    assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("mfa_reauthenticate_webauthn"))
    assert not Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()


def test_the_second_factor_of_one_session_does_not_open_another(staff: User) -> None:
    waiting = Client()
    log_in(waiting, staff)
    enrolled = Client()
    log_in(enrolled, staff)
    enrol(enrolled)
    assert enrolled.get("/admin/").status_code == 200
    assert waiting.get("/admin/").status_code == 302


def test_the_secret_is_not_in_the_database_in_clear(staff: User) -> None:
    secret = second_factor.set_up(staff)
    assert secret not in str(Authenticator.objects.get(user=staff).data)


def test_a_new_secret_key_keeps_the_codes_while_the_old_one_is_a_fallback(staff: User, settings: Settings) -> None:
    secret = second_factor.set_up(staff)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-forty-characters-or-more-0123"
    client = Client()
    assert log_in(client, staff) == (302, reverse("mfa_authenticate"))
    response = client.post(reverse("mfa_authenticate"), {"code": second_factor.code(secret)})
    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200


def test_a_code_works_once(staff: User) -> None:
    secret = second_factor.set_up(staff)
    code = second_factor.code(secret)
    first, second = Client(), Client()
    for client in (first, second):
        log_in(client, staff)
        client.post(reverse("mfa_authenticate"), {"code": code})
    assert first.get("/admin/").status_code == 200
    assert second.get("/admin/").status_code == 302


def test_a_code_works_once_for_as_long_as_it_is_taken(staff: User) -> None:
    """allauth's own memory of used codes ends after 30 seconds; a code is taken for up to 90."""
    # given a code that was used and that allauth has forgotten
    secret = second_factor.set_up(staff)
    code = second_factor.code(secret)
    client = Client()
    log_in(client, staff)
    client.post(reverse("mfa_authenticate"), {"code": code})
    cache.delete(f"allauth.mfa.totp.used?user={staff.pk}&code={code}")
    # when it is used again, also as one types it, then neither signing in nor confirming takes it
    for written in (code, f"{code[:3]} {code[3:]}"):
        again = Client()
        log_in(again, staff)
        assert b"This code is not right" in again.post(reverse("mfa_authenticate"), {"code": written}).content
        assert again.get("/admin/").status_code == 302
        assert client.post(reverse("mfa_reauthenticate"), {"code": written}).status_code == 200


def test_the_code_that_set_the_app_up_signs_nobody_in(staff: User) -> None:
    client = Client()
    log_in(client, staff)
    client.get(reverse("mfa_activate_totp"))
    code = second_factor.code(client.session["mfa.totp.secret"])
    client.post(reverse("mfa_activate_totp"), {"code": code})
    thief = Client()
    assert log_in(thief, staff) == (302, reverse("mfa_authenticate"))
    assert thief.post(reverse("mfa_authenticate"), {"code": code}).status_code == 200
    assert thief.get("/admin/").status_code == 302


def test_without_the_second_factor_staff_have_no_rights_outside_the_administration_either(user: User) -> None:
    # given a member of staff who entered with a wallet, and somebody else's run
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    execution = ExecutionFactory.create()
    browser = Browser(user.account)  # type: ignore[attr-defined]
    browser.sign_in()
    page, path = f"/executions/{execution.pk}/", f"/api/v1/executions/{execution.pk}"
    secret = second_factor.set_up(user)
    assert {browser.client.get(page).status_code, browser.client.get(path).status_code} == {404}
    # when the code is given, then the session has the rights
    browser.post_form(reverse("mfa_reauthenticate"), {"code": second_factor.code(secret)})
    assert {browser.client.get(page).status_code, browser.client.get(path).status_code} == {200}
    # but a program that signs in with the wallet has not
    program = Browser(user.account)  # type: ignore[attr-defined]
    token = program.sign_in(mode="token")["access"]
    assert Client().get(path, HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 404


def test_createsuperuser_refuses_an_e_mail_that_is_taken(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", STAFF_PASSWORD)
    with pytest.raises(CommandError):
        call_command("createsuperuser", "--noinput", "--email", staff.email, stdout=StringIO(), stderr=StringIO())


def test_an_administrator_needs_an_e_mail() -> None:
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_superuser("", "x")


def test_e_mails_are_unique_whatever_their_case_and_many_users_have_none(staff: User) -> None:
    User.objects.create_user()
    User.objects.create_user()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(str(staff.email).upper())
    assert User.objects.filter(email=None).count() == 2


def test_the_admins_login_goes_through_allauth() -> None:
    client = Client()
    first = client.get("/admin/")
    assert (first.status_code, first["Location"]) == (302, "/admin/login/?next=/admin/")
    second = client.get(first["Location"])
    assert (second.status_code, second["Location"]) == (302, "/accounts/login/?next=%2Fadmin%2F")


def test_the_admins_own_password_form_is_gone(staff: User) -> None:
    client = Client()
    response = client.post("/admin/login/", {"username": staff.email, "password": STAFF_PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=%2Fadmin%2F")
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_admins_login_leads_nowhere_else(target: str, staff: User) -> None:
    client = Client()
    assert client.get("/admin/login/", {"next": target})["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    client.force_login(staff)
    assert client.get("/admin/login/", {"next": target})["Location"] == "/admin/"


def test_a_wallet_user_is_kept_out_of_the_admin(user: User) -> None:
    client = Client()
    client.force_login(user)
    assert client.get("/admin/login/").status_code == 403
    assert client.get("/admin/", follow=True).status_code == 403


def test_a_wrong_password_enters_nobody(staff: User) -> None:
    client = Client()
    assert log_in(client, staff, "wrong")[0] == 200
    assert client.get("/admin/").status_code == 302


def test_five_wrong_passwords_close_the_door_for_a_while(staff: User) -> None:
    for _ in range(5):
        log_in(Client(), staff, "wrong")
    status, _ = log_in(Client(), staff)
    assert status == 200


def test_a_suspended_member_of_staff_stays_out_and_is_put_out(staff: User) -> None:
    client = Client()
    assert log_in(client, staff)[0] == 302
    enrol(client)
    assert client.get("/admin/").status_code == 200
    suspension.suspend(staff, "Left the company.")
    assert client.get("/admin/").status_code == 302
    assert log_in(Client(), staff) == (302, reverse("account_inactive"))


def test_an_unconfirmed_e_mail_is_confirmed_first() -> None:
    # given a staff account that another administrator made in the admin
    user = User.objects.create_user("new@example.org", STAFF_PASSWORD, is_staff=True)
    client = Client()
    # when its owner logs in, then a confirmation is sent instead
    assert log_in(client, user) == (302, reverse("account_email_verification_sent"))
    assert client.get("/admin/").status_code == 302
    assert mail.outbox[0].to == ["new@example.org"]


def test_a_recovery_code_opens_too(staff: User) -> None:
    # given a member of staff with recovery codes
    codes = RecoveryCodes.activate(staff)
    second_factor.set_up(staff)
    client = Client()
    # when the password is right, then it is not enough
    assert log_in(client, staff) == (302, reverse("mfa_authenticate"))
    assert client.get("/admin/").status_code == 302
    # and with the code it is
    used = codes.get_unused_codes()[0]
    response = client.post(reverse("mfa_authenticate"), {"code": used})
    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200
    # but only once
    again = Client()
    log_in(again, staff)
    assert again.post(reverse("mfa_authenticate"), {"code": used}).status_code == 200
    assert again.get("/admin/").status_code == 302


def test_a_wallet_user_has_no_password_to_guess(user: User) -> None:
    client = Client()
    for login in (user.username, user.primary_address):
        response = client.post(LOGIN, {"login": login, "password": ""})
        assert response.status_code == 200
    assert StaffFactory.create().has_usable_password()
