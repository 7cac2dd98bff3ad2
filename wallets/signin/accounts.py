"""E-mail accounts: how allauth makes and admits them, and the mail it sends."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from wallets.signin import sessions
from wallets.signin.client_ip import client_ip
from wallets.signin.models import technical_username
from wallets.signin.proof import proved_lately


def display_name(user: Any) -> str:
    """How allauth's messages name a user."""
    return str(user.shown_name)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """How allauth makes and admits e-mail accounts."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_taken": "This address enters another account. Accounts are not joined by themselves: sign in there and "
        "delete that account first, or use another address.",
        "email_password_mismatch": "The e-mail address or the password is not right.",
        "incorrect_code": "This code is not right. Look at the newest message, or ask for a new code.",
        "too_many_login_attempts": "Too many wrong passwords. Wait five minutes, or reset the password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether people may make e-mail accounts themselves."""
        return bool(settings.EMAIL_SIGN_UP)

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Usernames are technical here: nobody chooses or sees one."""
        user.username = technical_username()

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """allauth looks at `is_active` only; a suspended account ends at the same page."""
        if not user.may_act:
            refused: HttpResponse = self.respond_user_inactive(request, user)
            return refused
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: Any) -> None:
        """Begin the session, after password and second factor."""
        super().login(request, user)
        if not get_authentication_records(request, user):
            # A new account: the code from the mail was the proof.
            record_authentication(request, user, "email")
        sessions.record(request, user)

    def logout(self, request: HttpRequest) -> None:
        """End the session with its sockets."""
        sessions.end(request)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Changes of how one enters ask again who one is, unless that was just proved."""
        return not proved_lately(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Where one proves again who one is, the usual way first; for who has neither password nor factor, a wallet."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if ways or not user.is_authenticated:
            return ways
        return [{"id": "wallet", "description": "Use your wallet", "url": reverse("wallets:confirm")}]

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that allauth's own limits count by."""
        return client_ip(request)

    def render_mail(self, template_prefix: str, email: str, context: dict[str, Any], headers: Any = None) -> Any:
        """The text of the template, and the same in the site's look for programs that show HTML."""
        context = {**context, "site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        message: EmailMultiAlternatives = super().render_mail(template_prefix, email, context, headers)
        body = {"body": message.body, "code": context.get("code"), "subject": message.subject}
        message.attach_alternative(render_to_string("email/message.html", {**context, **body}), "text/html")
        return message
