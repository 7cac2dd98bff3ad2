"""The profile: who you are here, and the wallets that let you in."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import resume_request
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chain.errors import DomainError
from wallets.forms import ProfileForm
from wallets.signin import linked, sessions
from wallets.signin.people import signed_in
from wallets.signin.proof import proof_required, proved_lately


@require_http_methods(["GET", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Name, wallets, purchases and latest runs of the person who looks."""
    user = signed_in(request)
    form = ProfileForm(request.POST or None, initial={"display_name": user.display_name})
    if request.method == "POST" and form.is_valid():
        user.display_name = form.cleaned_data["display_name"]
        user.save(update_fields=["display_name"])
        messages.success(request, "Your name is saved.")
        return redirect("wallets:profile")
    return render(
        request,
        "wallets/profile.html",
        {
            "form": form,
            "wallets": user.wallets.order_by("-is_primary", "pk"),
            "wallets_may_go": linked.enters_without_wallet(user),
        },
        status=422 if form.errors else 200,
    )


@require_POST
@login_required
@proof_required
def unlink(request: HttpRequest, address: str) -> HttpResponse:
    """Take a wallet off the account."""
    try:
        linked.unlink(signed_in(request), address)
        messages.success(request, "The wallet is unlinked and can no longer sign in here.")
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("wallets:profile")


@require_POST
@login_required
def make_primary(request: HttpRequest, address: str) -> HttpResponse:
    """Choose the wallet that pays and receives by default."""
    try:
        linked.make_primary(signed_in(request), address)
        messages.success(request, "This wallet now pays and receives by default.")
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("wallets:profile")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and everything that hangs on it."""
    sessions.end(request)
    messages.success(request, "You are signed out.")
    return redirect("marketplace:catalogue")


@require_GET
@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Says to staff without a second factor why they need one, and how to get it."""
    return render(request, "wallets/second_factor.html", {"is_staff": signed_in(request).is_staff})


@require_GET
@login_required
@never_cache
def confirm(request: HttpRequest) -> HttpResponse:
    """Asks for a wallet's signature before a change of how one gets in; then does what the person had begun."""
    user = signed_in(request)
    if proved_lately(request):
        return resume_request(request) or redirect("wallets:profile")
    usual = get_adapter().get_reauthentication_methods(user)[0]["url"]
    if usual != reverse("wallets:confirm"):
        return redirect(f"{usual}?{request.GET.urlencode()}")
    return render(request, "wallets/confirm.html", {"wallets": user.wallets.order_by("-is_primary", "pk")})
