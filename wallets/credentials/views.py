"""The security page: ways in, second factors, places where one is signed in, API keys."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chain.errors import DomainError
from wallets.credentials import api_keys, places
from wallets.credentials.forms import ApiKeyForm, CloseForm
from wallets.models import User
from wallets.signin import closing
from wallets.signin.people import signed_in
from wallets.signin.proof import proof_required


@require_GET
@login_required
@never_cache
def security(request: HttpRequest) -> HttpResponse:
    """Everything that opens this account, and how to close it."""
    return _page(request, ApiKeyForm())


@require_POST
@login_required
@never_cache
@proof_required
def create_key(request: HttpRequest) -> HttpResponse:
    """Make an API key; its text is on the page that answers and nowhere else."""
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    user, data = signed_in(request), form.cleaned_data
    return _made(request, lambda: api_keys.create(user, data["name"], data["scopes"], form.expires_at()))


@require_POST
@login_required
@never_cache
@proof_required
def rotate_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Make the successor of a key; the old one works for another day."""
    return _made(request, lambda: api_keys.rotate(signed_in(request), key_id))


@require_POST
@login_required
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """End a key at once."""
    return _done(
        request,
        lambda: api_keys.revoke(signed_in(request), key_id),
        "The key is revoked.",
    )


@require_POST
@login_required
def end_session(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Sign out at one place."""
    return _done(request, lambda: places.end(signed_in(request), place_id), "Signed out there.")


@require_POST
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    user, key = signed_in(request), request.session.session_key
    return _done(request, lambda: places.end_others(user, session_key=key), "You are signed in only here now.")


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
@proof_required
def close(request: HttpRequest) -> HttpResponse:
    """Delete the account, after a fresh proof of who asks and a word typed by hand."""
    user, form = signed_in(request), CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            closing.close(user)
        except DomainError as error:
            messages.error(request, error.message)
            return redirect("wallets:security")
        logout(request)
        messages.success(request, "Your account is deleted.")
        return redirect("marketplace:catalogue")
    return render(request, "wallets/close.html", {"form": form}, status=422 if form.errors else 200)


def _done(request: HttpRequest, change: Callable[[], object], sentence: str) -> HttpResponse:
    try:
        change()
        messages.success(request, sentence)
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("wallets:security")


def _made(request: HttpRequest, make: Callable[[], api_keys.NewKey]) -> HttpResponse:
    try:
        made = make()
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("wallets:security")
    return _page(request, ApiKeyForm(), made=made, status=201)


def _page(
    request: HttpRequest, form: ApiKeyForm, *, made: api_keys.NewKey | None = None, status: int = 200
) -> HttpResponse:
    user = signed_in(request)
    context = {
        "key_form": form,
        "made": made,
        "keys": api_keys.listed(user),
        "places": places.of(user, session_key=request.session.session_key),
        **_ways_in(user),
    }
    return render(request, "wallets/security.html", context, status=status)


def _ways_in(user: User) -> dict[str, Any]:
    factors = list(Authenticator.objects.filter(user=user).order_by("pk"))
    of_type = {kind: [found for found in factors if found.type == kind] for kind in Authenticator.Type}
    recovery = of_type[Authenticator.Type.RECOVERY_CODES]
    return {
        "email_address": EmailAddress.objects.filter(user=user).order_by("-primary", "-verified").first(),
        "passkeys": of_type[Authenticator.Type.WEBAUTHN],
        "totp": next(iter(of_type[Authenticator.Type.TOTP]), None),
        "recovery_left": len(recovery[0].wrap().get_unused_codes()) if recovery else None,
    }
