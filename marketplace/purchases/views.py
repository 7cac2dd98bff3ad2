"""One purchase on a page: for its buyer from the order to the last payout, for its creator and staff its papers."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from chain.networks import get_network
from marketplace.disputes.statements import RULE
from marketplace.models import Purchase
from marketplace.purchases.access import has_access
from marketplace.purchases.parties import Party, party_of, visible_to
from marketplace.purchases.settling import allowed
from marketplace.purchases.timeline import timeline
from marketplace.terms import current_terms
from wallets.signin.people import signed_in
from wallets.smart_accounts.accounts import usable_on

# While a buyer's payment is in one of these states the page shows the steps of paying.
PAYING = (Purchase.Status.QUOTED, Purchase.Status.DEPOSITED, Purchase.Status.UNKNOWN)


@require_GET
@login_required
def purchase(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The purchase, wherever it stands: resumes a payment, shows its progress, then its papers and what can be done."""
    shown, party = _found(request, pk)
    context = _context(request, shown, party) | {
        "network": get_network(shown.network),
        "text_limit": RULE.maximum,
        "draft": _draft(shown, party),
        "smart_accounts": usable_on(signed_in(request), get_network(shown.network)),
    }
    return render(request, "marketplace/purchase.html", context)


@require_GET
@login_required
def progress(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of the page that changes while it is open."""
    shown, party = _found(request, pk)
    return render(request, "marketplace/settlement/_progress.html", _context(request, shown, party))


def _found(request: HttpRequest, pk: UUID) -> tuple[Purchase, Party | None]:
    user = signed_in(request)
    rows = visible_to(user).select_related("agent__creator", "buyer")
    shown = get_object_or_404(rows.prefetch_related("agent__creator__wallets", "buyer__wallets"), pk=pk)
    return shown, party_of(user, shown)


def _context(request: HttpRequest, shown: Purchase, party: Party | None) -> dict[str, Any]:
    return {
        "purchase": shown,
        "agent": shown.agent,
        "party": party.value if party else "",
        "access": has_access(signed_in(request), shown.agent),
        "open": party == Party.BUYER and shown.status in PAYING,
        "actions": [action.value for action in allowed(shown, party)],
        "timeline": timeline(shown),
        "limits": current_terms(),
    }


def _draft(shown: Purchase, party: Party | None) -> str:
    """The reason that was given last while its dispute is not on the chain: it need not be typed again."""
    if party != Party.BUYER or shown.status == Purchase.Status.DISPUTED:
        return ""
    last = shown.statements.filter(is_reason=True).last()
    return last.text if last else ""
