"""The studio's pages for secrets and registries."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from chain.errors import DomainError
from marketplace.models import Agent
from marketplace.vault import operations
from marketplace.vault.forms import CredentialForm, SecretForm
from wallets.signin.people import signed_in


def _own(request: HttpRequest, slug: str) -> Agent:
    return get_object_or_404(Agent.objects.filter(creator=signed_in(request)), slug=slug)


@sensitive_post_parameters("value")
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def secrets(request: HttpRequest, slug: str) -> HttpResponse:
    """An agent's secrets by name, and the form for another."""
    own = _own(request, slug)
    form = SecretForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            operations.set_secret(own, signed_in(request), data["name"].strip(), data["value"])
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, f"{data['name']} is stored. Runs that start from now on get it.")
            return redirect("marketplace:agent-secrets", own.slug)
    context = {"agent": own, "form": form, "secrets": own.secrets.defer("sealed")}
    return render(request, "marketplace/secrets.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def secret_delete(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Delete one secret."""
    own = _own(request, slug)
    if operations.delete_secret(own, signed_in(request), name):
        messages.success(request, f"{name} is deleted.")
    return redirect("marketplace:agent-secrets", own.slug)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def registries(request: HttpRequest) -> HttpResponse:
    """A creator's private registries, and the form for another."""
    user = signed_in(request)
    form = CredentialForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            stored = operations.set_credential(user, data["registry"], data["username"], data["password"])
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, f"Images from {stored.registry} are pulled as {stored.username} from now on.")
            return redirect("marketplace:registries")
    context = {"form": form, "credentials": user.registry_credentials.defer("sealed")}
    return render(request, "marketplace/registries.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def registry_delete(request: HttpRequest, registry: str) -> HttpResponse:
    """Delete the credential of one registry."""
    if operations.delete_credential(signed_in(request), registry):
        messages.success(request, f"The credential for {registry} is deleted.")
    return redirect("marketplace:registries")
