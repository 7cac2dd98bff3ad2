"""E-mail accounts of people: made, confirmed by a code, entered, joined with a wallet."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django_redis.exceptions import ConnectionInterrupted
from pytest_django.fixtures import Settings

from tests.pages import SignIn, text
from tests.wallets.sign_in import Browser
from wallets.models import BrowserSession, User
from wallets.signin import linked, siwe

pytestmark = pytest.mark.django_db
EMAIL = "ann@example.org"
PASSWORD = "correct-horse-battery"
TAKEN = (
    "This address enters another account. Accounts are not joined by themselves: "
    "sign in there and delete that account first, or use another address."
)


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> None:
    """Every test comes from one address and uses one e-mail; the limits of allauth count both."""
    later()


def later() -> None:
    """Some minutes pass for the limits."""
    cache.delete_pattern("allauth:*")  # type: ignore[attr-defined]  # django-redis


def sign_up(client: Client, email: str = EMAIL) -> str:
    """Ask for an account; returns where the page leads."""
    response = client.post(reverse("account_signup"), {"email": email, "password1": PASSWORD})
    assert response.status_code == 302, response.content.decode()
    return response["Location"]


def code_in_mail() -> str:
    """The code of the newest mail."""
    found = re.search(r"^([A-Z0-9]{4}-[A-Z0-9]{4}|[A-Z0-9]{6,8})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def html_of(message: EmailMessage) -> str:
    """What mail programs show that can."""
    assert isinstance(message, EmailMultiAlternatives)
    return str(message.alternatives[0][0])


def confirm(client: Client, code: str) -> int:
    return client.post(reverse("account_email_verification_sent"), {"code": code}).status_code


def test_a_person_signs_up_confirms_the_code_and_is_in() -> None:
    # given a new account
    client = Client()
    assert sign_up(client) == reverse("account_email_verification_sent")
    # when nothing is confirmed yet, then nobody is in
    assert client.get("/api/v1/me").status_code == 401
    assert EmailAddress.objects.get().verified is False
    # and when the code of the mail is typed in
    assert confirm(client, code_in_mail()) == 302
    # then they are, and the session is on their list
    assert client.get("/api/v1/me").json()["email"] == EMAIL
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.email) == (False, False, EMAIL)
    assert BrowserSession.objects.get().user == user


def test_a_wrong_code_confirms_nothing_and_only_a_few_are_taken() -> None:
    client = Client()
    sign_up(client)
    code = code_in_mail()
    for _ in range(3):
        confirm(client, "AAAA-AAAA")
    confirm(client, code)
    assert client.get("/api/v1/me").status_code == 401
    assert EmailAddress.objects.get().verified is False


def test_the_code_serves_only_the_browser_that_asked() -> None:
    client, other = Client(), Client()
    sign_up(client)
    confirm(other, code_in_mail())
    assert other.get("/api/v1/me").status_code == 401
    assert EmailAddress.objects.get().verified is False


def test_the_mail_is_text_and_the_sites_look_and_names_the_code() -> None:
    sign_up(Client())
    message = mail.outbox[0]
    html = html_of(message)
    assert message.subject == f"{code_in_mail()} confirms your e-mail address for AgentNexus"
    assert html.count(code_in_mail()) >= 2
    assert "Type this code into the page" in html
    assert "example.com" not in f"{message.body}{html}"


def test_mail_shows_what_a_browser_calls_itself_as_text() -> None:
    client = Client(HTTP_USER_AGENT="<script>alert(1)</script>")
    sign_up(client)
    confirm(client, code_in_mail())
    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "another-horse-battery", "password2": "another-horse-battery"},
    )
    html = html_of(mail.outbox[-1])
    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_who_has_an_account_is_not_told_to_strangers() -> None:
    # given an account
    client = Client()
    sign_up(client)
    confirm(client, code_in_mail())
    later()
    # when somebody signs up with its address, and somebody with a new one
    taken, new = sign_up(Client()), sign_up(Client(), "new@example.org")
    # then both see the same; only the owner's mail says that there is an account
    assert taken == new
    assert "You have an account on AgentNexus already" in [message.subject for message in mail.outbox]
    assert User.objects.filter(email=EMAIL).count() == 1


def test_a_forgotten_password_is_reset_by_a_code() -> None:
    client = Client()
    sign_up(client)
    confirm(client, code_in_mail())
    stranger = Client()
    stranger.post(reverse("account_reset_password"), {"email": EMAIL})
    stranger.post(reverse("account_confirm_password_reset_code"), {"code": code_in_mail()})
    stranger.post(
        reverse("account_complete_password_reset"), {"password1": "new-horse-battery", "password2": "new-horse-battery"}
    )
    fresh = Client()
    assert fresh.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD}).status_code == 200
    assert fresh.post(reverse("account_login"), {"login": EMAIL, "password": "new-horse-battery"}).status_code == 302


def test_a_site_may_close_the_door_to_new_e_mail_accounts(settings: Settings) -> None:
    settings.EMAIL_SIGN_UP = False
    client = Client()
    assert "closed on this site" in text(client.get(reverse("account_signup")))
    client.post(reverse("account_signup"), {"email": EMAIL, "password1": PASSWORD})
    assert not User.objects.exists()


def test_a_wallet_account_gets_an_e_mail_and_a_password_and_both_enter() -> None:
    # given an account made by a wallet
    browser = Browser()
    browser.sign_in()
    # when it adds an address, confirms it and sets a password
    browser.post_form(reverse("account_email"), {"email": EMAIL, "action_add": ""})
    browser.post_form(reverse("account_email_verification_sent"), {"code": code_in_mail()})
    browser.post_form(reverse("account_set_password"), {"password1": PASSWORD, "password2": PASSWORD})
    # then e-mail and wallet enter the same account
    by_email = Client()
    assert by_email.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD}).status_code == 302
    assert by_email.get("/api/v1/me").json()["wallets"][0]["address"] == browser.account.address
    assert User.objects.count() == 1
    # and the wallet may now go, as it is not the last way in
    user = User.objects.get()
    linked.unlink(user, browser.account.address)
    assert user.wallets.count() == 0


def test_an_e_mail_account_links_a_wallet_and_both_enter(signed_in: SignIn) -> None:
    client = Client()
    sign_up(client)
    confirm(client, code_in_mail())
    user, browser = User.objects.get(), Browser()
    linked.link(user, siwe.VerifiedWallet(browser.account.address, 31337))
    browser.sign_in()
    assert browser.client.get("/api/v1/me").json()["email"] == EMAIL
    assert User.objects.count() == 1


def test_an_address_of_another_account_is_not_joined() -> None:
    # given one account by e-mail, and another by wallet
    client = Client()
    sign_up(client)
    confirm(client, code_in_mail())
    browser = Browser()
    browser.sign_in()
    later()
    # when the wallet's owner adds that address, and even types in the code that its owner got
    browser.post_form(reverse("account_email"), {"email": EMAIL, "action_add": ""})
    response = browser.post_form(reverse("account_email_verification_sent"), {"code": code_in_mail()})
    # then the accounts stay two, and the page says what to do
    assert TAKEN in text(response)
    assert browser.client.get("/api/v1/me").json()["email"] is None
    assert EmailAddress.objects.get(verified=True).user.email == EMAIL


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password"])
def test_pages_for_mail_say_where_it_goes_when_none_is_sent(name: str, settings: Settings) -> None:
    assert "development site" not in text(Client().get(reverse(name)))
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(settings.BASE_DIR / ".data" / "mail")
    shown = text(Client().get(reverse(name)))
    assert "This is a development site: no e-mail leaves this machine." in shown
    assert ">.data/mail<" in shown


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password", "mfa_login_webauthn"])
def test_without_redis_nobody_enters_and_the_page_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def __getattr__(self, _: str) -> object:
            raise ConnectionInterrupted(connection=None)

    monkeypatch.setattr("allauth.core.internal.ratelimit.cache", Away())
    response = Client().post(
        reverse(name), {"login": EMAIL, "password": PASSWORD, "email": EMAIL, "password1": PASSWORD}
    )
    assert response.status_code == 503
    assert "Not available right now" in text(response)
    assert not User.objects.exists()


def test_too_many_attempts_get_a_page_of_the_sites_own() -> None:
    client = Client()
    answers = [client.post(reverse("account_reset_password"), {"email": EMAIL}) for _ in range(6)]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in text(answers[-1])
