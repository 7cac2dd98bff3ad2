"""The catalogue, agents' pages, buying, and the studio where creators publish."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chain.errors import DomainError, UnknownNetworkError
from chain.networks import Network, all_networks, default_network, get_network
from chain.tokens import tokens_for
from marketplace.catalogue import agents as operations
from marketplace.catalogue import verdicts
from marketplace.catalogue.markdown import render_markdown
from marketplace.catalogue.search import Ordering, search
from marketplace.forms import AgentForm, VersionForm
from marketplace.models import Agent, AgentVersion, Category
from marketplace.purchases.access import has_access
from marketplace.schema_summary import summarise
from marketplace.terms import current_terms
from wallets.models import User
from wallets.signin.people import signed_in
from wallets.smart_accounts.accounts import usable_on

PER_PAGE = 12
ORDERINGS = (
    ("", "Best match"),
    (Ordering.NEWEST.value, "Newest first"),
    (Ordering.POPULAR.value, "Most bought"),
    (Ordering.PRICE.value, "Lowest price"),
)
HERO_STEPS = (
    {
        "icon": "search",
        "title": "Find an agent",
        "text": "Every page shows what goes in, what comes out, and the exact image that will run.",
    },
    {
        "icon": "lock",
        "title": "Pay into escrow",
        "text": "ETH or USDC on Base. The creator is paid later; until then you can object.",
    },
    {
        "icon": "terminal",
        "title": "Run it on your data",
        "text": "In a sandbox that reaches no host but those its page names. Its log is live, the result yours.",
    },
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked of the catalogue, as typed."""

    query: str
    category: str
    token: str
    ordering: str
    network: str = ""

    @property
    def active(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.query or self.category or self.token)


@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """`/`: search and filters over what is for sale; for HTMX only the results."""
    asked = ("q", "category", "token", "ordering", "network")
    filters = Filters(*(request.GET.get(name, "").strip() for name in asked))
    network = default_network()
    try:
        network = get_network(filters.network) if filters.network else network
        found = search(filters.query, filters.category, filters.token, filters.ordering, network)
    except DomainError:
        # A stale or mistyped link: show everything rather than an error.
        filters = Filters(filters.query, filters.category, "", "")
        found = search(filters.query, filters.category)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"filters": filters, "page": page}
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        response = render(request, "marketplace/_results.html", context)
    else:
        return_to = request.GET.get("next", "")
        safe = url_has_allowed_host_and_scheme(return_to, {request.get_host()}, require_https=request.is_secure())
        response = render(
            request,
            "marketplace/catalogue.html",
            context
            | {
                "categories": Category.objects.all(),
                "tokens": tokens_for(network),
                "networks": all_networks(),
                "network": network,
                "orderings": ORDERINGS,
                "show_hero": not filters.active and page.number == 1,
                "hero_steps": HERO_STEPS,
                "connect_open": "connect" in request.GET,
                "connect_next": return_to if safe and return_to.startswith("/") else "",
            },
        )
    patch_vary_headers(response, ["HX-Request"])
    return response


def _visible_agent(request: HttpRequest, slug: str) -> Agent:
    return get_object_or_404(Agent.objects.visible_to(request.user).with_listing(), slug=slug)


@require_GET
def agent(request: HttpRequest, slug: str) -> HttpResponse:
    """An agent's page; its creator also finds the controls here, its holders the way to run it."""
    shown = _visible_agent(request, slug)
    version = shown.live_version
    versions = list(shown.versions.newest_first())
    is_owner = shown.creator_id == request.user.pk
    user = signed_in(request) if request.user.is_authenticated else None
    access = has_access(user, shown) if user else None
    return render(
        request,
        "marketplace/agent.html",
        {
            "agent": shown,
            "description_html": render_markdown(shown.description),
            "live_version": version,
            "versions": versions,
            "checking": is_owner and any(one.being_checked for one in versions),
            "input_fields": summarise(version.input_schema) if version else [],
            "output_fields": summarise(version.output_schema) if version else [],
            "is_owner": is_owner,
            "access": access,
            "access_until": access.expires_at if access else None,
            "buyable": _buyable(shown, version),
            "limits": current_terms(version),
            "network_name": get_network(shown.network).name,
        },
    )


def _buyable(shown: Agent, version: AgentVersion | None) -> bool:
    return shown.status == Agent.Status.PUBLISHED and version is not None and bool(shown.prices.all())


@require_GET
@login_required
def buy(request: HttpRequest, slug: str) -> HttpResponse:
    """The order and the payment; the page's script asks for the quote when the person confirms."""
    shown = _visible_agent(request, slug)
    if shown.creator_id == request.user.pk:
        messages.info(request, "This is your own agent: you can run it without buying.")
        return redirect("marketplace:agent", slug)
    if not _buyable(shown, shown.live_version):
        messages.error(request, "This agent is not for sale at the moment.")
        return redirect("marketplace:agent", slug)
    access = has_access(signed_in(request), shown)
    if access.is_lifetime:
        messages.info(request, "Your access never ends: there is nothing to buy.")
        return redirect("marketplace:agent", slug)
    return render(
        request,
        "marketplace/buy.html",
        {
            "agent": shown,
            "access_until": access.expires_at if access.allowed else None,
            "network": get_network(shown.network),
            "version": shown.live_version,
            "limits": current_terms(shown.live_version),
            "tokens": tokens_for(get_network(shown.network)),
            "smart_accounts": usable_on(signed_in(request), get_network(shown.network)),
        },
    )


# --- for creators ---
@require_GET
@login_required
def studio(request: HttpRequest) -> HttpResponse:
    """A creator's own agents with their figures."""
    own = Agent.objects.filter(creator=signed_in(request)).with_listing().with_newest_version().order_by("-id")
    page = Paginator(own, 20).get_page(request.GET.get("page"))
    return render(request, "marketplace/studio.html", {"page": page})


@require_http_methods(["GET", "POST"])
@login_required
def agent_new(request: HttpRequest) -> HttpResponse:
    """The form of a new agent; what is saved is a draft. `?network=` chooses the chain it is sold on, for good."""
    network = _chosen_network(request)
    form = AgentForm(request.POST or None, network=network)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.create_agent(signed_in(request), network=network.slug, **form.values())
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, f"{made.name} is saved as a draft. Now add its first version.")
            return redirect("marketplace:version-new", made.slug)
    return render(
        request,
        "marketplace/agent_form.html",
        {"form": form, "network": network, "networks": all_networks(), "fee": current_terms().fee_percent},
        status=422 if form.errors else 200,
    )


def _chosen_network(request: HttpRequest) -> Network:
    asked = request.GET.get("network")
    try:
        return get_network(asked) if asked else default_network()
    except UnknownNetworkError as error:
        raise Http404(error.message) from error


def _own_agent(request: HttpRequest, slug: str) -> Agent:
    """The creator's own agent; for everybody else it does not exist at this address."""
    return get_object_or_404(Agent.objects.filter(creator=signed_in(request)).with_listing(), slug=slug)


@require_http_methods(["GET", "POST"])
@login_required
def agent_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what an agent says and costs. Purchases made before keep their terms."""
    own = _own_agent(request, slug)
    network = get_network(own.network)
    form = AgentForm(request.POST or None, network=network, agent=own)
    if request.method == "POST" and form.is_valid():
        try:
            operations.update_agent(own, signed_in(request), **form.values())
        except DomainError as error:
            form.add_domain_error(error)
        else:
            messages.success(request, "Saved.")
            return redirect("marketplace:agent", own.slug)
    return render(
        request,
        "marketplace/agent_form.html",
        {"form": form, "agent": own, "network": network, "fee": current_terms().fee_percent},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@login_required
def version_new(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of a new version, filled with the previous one's values."""
    own = _own_agent(request, slug)
    previous = own.versions.newest_first().first()
    form = VersionForm(request.POST or None, request.FILES or None, previous=previous)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.add_version(own, signed_in(request), **form.values(signed_in(request)))
        except DomainError as error:
            form.add_domain_error(error)
        else:
            if made.verdict == AgentVersion.Verdict.PENDING:
                messages.success(request, f"Version {made.number} is saved; its image is being checked now.")
            else:
                messages.success(request, f"Version {made.number} is live.")
            return redirect("marketplace:agent", own.slug)
    return render(
        request,
        "marketplace/version_form.html",
        {"form": form, "agent": own, "previous": previous, "limits": current_terms()},
        status=422 if form.errors else 200,
    )


def _act(request: HttpRequest, slug: str, operation: Callable[[Agent, User], str]) -> HttpResponse:
    """Do something with an own agent, say what happened, and return to its page."""
    own = _own_agent(request, slug)
    try:
        messages.success(request, operation(own, signed_in(request)))
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("marketplace:agent", own.slug)


@require_POST
@login_required
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Put the agent into the catalogue."""

    def operation(own: Agent, by: User) -> str:
        operations.publish(own, by)
        return f"{own.name} is now for sale."

    return _act(request, slug, operation)


@require_POST
@login_required
def archive(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the agent off the market."""

    def operation(own: Agent, by: User) -> str:
        operations.archive(own, by)
        return f"{own.name} is off the market. Those who bought it keep their access."

    return _act(request, slug, operation)


@require_POST
@login_required
def check_again(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Have a refused version's image looked at again."""

    def operation(own: Agent, by: User) -> str:
        verdicts.ask_again(get_object_or_404(own.versions.select_related("agent"), number=number), by)
        return f"Version {number} is being checked again."

    return _act(request, slug, operation)


@require_POST
@login_required
def withdraw(request: HttpRequest, slug: str, number: str) -> HttpResponse:
    """Withdraw one version."""

    def operation(own: Agent, by: User) -> str:
        operations.withdraw_version(get_object_or_404(own.versions, number=number), by)
        return f"Version {number} is withdrawn."

    return _act(request, slug, operation)
