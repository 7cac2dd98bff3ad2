"""The studio's page of sales: what is in escrow, what can be withdrawn, what was paid out, and each sale."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from chain.errors import UnknownNetworkError
from chain.networks import Network, get_network
from marketplace.models import Purchase
from marketplace.payouts.balances import Balance, balances, payouts
from wallets.signin.people import signed_in

PER_PAGE = 20
SHOWN_PAYOUTS = 20


@dataclass(frozen=True, slots=True)
class Purse:
    """A balance with what its row on the page needs."""

    balance: Balance
    network: Network | None


@require_GET
@login_required
def sales(request: HttpRequest) -> HttpResponse:
    """`/studio/sales/`."""
    sold = Purchase.objects.filter(agent__creator=signed_in(request), deposited_at__isnull=False)
    rows = sold.select_related("agent", "buyer").prefetch_related("buyer__wallets").order_by("-id")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "marketplace/sales.html", _money(request) | {"page": page})


@require_GET
@login_required
def money(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes when something was paid out."""
    return render(request, "marketplace/settlement/_money.html", _money(request))


def _money(request: HttpRequest) -> dict[str, Any]:
    accounts = signed_in(request).addresses()
    purses = [Purse(balance, _network(balance.network)) for balance in balances(accounts)]
    return {"purses": purses, "payouts": payouts(accounts, SHOWN_PAYOUTS)}


def _network(slug: str) -> Network | None:
    try:
        return get_network(slug)
    except UnknownNetworkError:
        return None
