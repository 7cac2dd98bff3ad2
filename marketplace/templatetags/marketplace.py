"""Money and access, as pages say them."""

from typing import Any

from django import template

from chain.errors import ChainError
from chain.networks import get_network
from chain.tokens import Token, format_amount, get_token
from marketplace.models import Purchase
from wallets.models import User

register = template.Library()
RECENT = 50

# How each state of a purchase looks (a tone class of the stylesheet) and what it means for the buyer.
PURCHASE_TONES = {
    Purchase.Status.QUOTED: "tone-neutral",
    Purchase.Status.DEPOSITED: "tone-busy",
    Purchase.Status.ACTIVE: "tone-good",
    Purchase.Status.DISPUTED: "tone-bad",
    Purchase.Status.RELEASED: "tone-good",
    Purchase.Status.REFUNDED: "tone-neutral",
    Purchase.Status.LAPSED: "tone-neutral",
    Purchase.Status.UNKNOWN: "tone-busy",
}
PURCHASE_LABELS = {
    Purchase.Status.QUOTED: "Not paid yet",
    Purchase.Status.DEPOSITED: "Confirming",
    Purchase.Status.ACTIVE: "Paid, in escrow",
    Purchase.Status.DISPUTED: "In dispute",
    Purchase.Status.RELEASED: "Paid to creator",
    Purchase.Status.REFUNDED: "Refunded",
    Purchase.Status.LAPSED: "Lapsed, not paid",
    Purchase.Status.UNKNOWN: "Being checked",
}


def _token(context: template.Context, address: str, network: str) -> Token | None:
    """The token, looked up once for each request (on the local chain a lookup asks the database)."""
    request = context.get("request")
    known: dict[tuple[str, str], Token | None]
    known = request.META.setdefault("agentnexus.tokens", {}) if request else {}
    key = (network, address)
    if key not in known:
        try:
            known[key] = get_token(get_network(network), address)
        except ChainError:
            known[key] = None
    return known[key]


@register.simple_tag(takes_context=True)
def amount(context: template.Context, value: int, token: str, network: str) -> str:
    """`0.01 ETH`. A token the network no longer knows is shown in base units rather than breaking the page."""
    found = _token(context, token, network)
    return format_amount(value, found) if found else f"{value} units of {token_symbol(context, token, network)}"


@register.simple_tag(takes_context=True)
def token_symbol(context: template.Context, token: str, network: str) -> str:
    """`ETH`; the short address of a token the network does not know."""
    found = _token(context, token, network)
    return found.symbol if found else f"{token[:6]}…{token[-4:]}"


@register.simple_tag
def transaction_url(hash_: str, network: str) -> str:
    """The explorer's page of a transaction, or an empty string."""
    try:
        return get_network(network).transaction_url(hash_)
    except ChainError:
        return ""


@register.filter
def purchase_tone(status: str) -> str:
    return PURCHASE_TONES[Purchase.Status(status)]


@register.filter
def purchase_label(status: str) -> str:
    return PURCHASE_LABELS[Purchase.Status(status)]


@register.inclusion_tag("marketplace/_purchases.html", takes_context=True)
def recent_purchases(context: template.Context, user: User) -> dict[str, Any]:
    """The user's newest purchases that were paid or can still be."""
    purchases = (
        user.purchases.exclude(status=Purchase.Status.LAPSED).select_related("agent").order_by("-id")[: RECENT + 1]
    )
    return {"purchases": list(purchases)[:RECENT], "request": context.get("request")}
