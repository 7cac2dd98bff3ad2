"""The door of the administration: members of staff only, and only with a second factor in this very session."""

from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.sites import UnfoldAdminSite


class StaffSite(UnfoldAdminSite):  # type: ignore[misc]
    """The admin site. Every page of it asks `has_permission` first, so this is the one place that opens it."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this request may see the administration at all."""
        return bool(getattr(request.user, "acts_as_staff", False))

    def login(self, request: HttpRequest, extra_context: object = None) -> HttpResponse:
        """Where whoever may not enter is sent: to sign in, to give the second factor, or to set one up."""
        target = request.GET.get("next") or reverse("admin:index")
        if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
            target = reverse("admin:index")
        if not request.user.is_authenticated:
            return _to("account_login", target)
        if not is_staff(request):
            raise PermissionDenied
        if self.has_permission(request):
            return HttpResponseRedirect(target)
        if is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
            return _to("mfa_reauthenticate", target)
        if is_mfa_enabled(request.user, [Authenticator.Type.WEBAUTHN]):
            return _to("mfa_reauthenticate_webauthn", target)
        return _to("wallets:second-factor", target)


def is_staff(request: HttpRequest) -> bool:
    """Whether the signed-in user works here."""
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


def _to(name: str, target: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': target})}")
