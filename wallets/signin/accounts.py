"""E-mail accounts, which are for staff: nobody makes one by himself."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from wallets.signin import sessions
from wallets.signin.client_ip import client_ip


def display_name(user: Any) -> str:
    """How allauth's messages name a user."""
    return str(user.shown_name)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """How allauth makes and admits e-mail accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed: administrators create staff accounts, everybody else enters by wallet."""
        return False

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
        sessions.record(request, user)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that allauth's own limits count by."""
        return client_ip(request)


def staff_login(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """The admin's login page: allauth's, with its limits and second factor, instead of Django's own."""
    target = request.GET.get("next") or reverse("admin:index")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = reverse("admin:index")
    if not request.user.is_authenticated:
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': target})}")
    if not getattr(request.user, "is_staff", False):
        raise PermissionDenied
    return HttpResponseRedirect(target)
