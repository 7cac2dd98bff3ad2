"""Purchases and access for staff: to find and to look at. The chain decides; nothing here can be edited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import display

from chain.admin import ReadOnlyAdmin, shortened
from chain.errors import UnknownNetworkError
from chain.networks import get_network
from chain.tokens import format_amount
from marketplace.api.tokens import TokenBook
from marketplace.purchases.access import moment
from marketplace.purchases.models import LIFETIME, Entitlement, EntitlementFact, EscrowFact, Purchase

PURCHASE_LABELS = {
    "Active": "success",
    "Released": "success",
    "Deposited": "info",
    "Quoted": "info",
    "Disputed": "danger",
    "Refunded": "warning",
    "Unknown": "warning",
}


class _FactInline(TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False
    ordering = ["block_number", "log_index"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EscrowFactInline(_FactInline):
    """What the chain said of the purchase."""

    model = EscrowFact
    fields = ["name", "status", "block_number", "block_time", "confirmed_at", "problem"]
    readonly_fields = fields


@admin.register(Purchase)
class PurchaseAdmin(ReadOnlyAdmin):
    list_filter = ["status", "network", "created_at"]
    date_hierarchy = "created_at"
    ordering = ["-id"]
    list_select_related = ["agent", "buyer"]
    search_fields = [
        *("=id", "payment_id", "deposit_tx_hash", "recipient", "payer", "bound_payer", "creator_address"),
        *("agent__slug", "agent__name", "buyer__email", "buyer__display_name"),
    ]
    search_help_text = "Id, payment id, transaction hash or address (or a piece with 0x); agent; buyer's name or e-mail"
    inlines = [EscrowFactInline]
    fieldsets = [
        (None, {"fields": ["id", "shown_status", "agent", "buyer", "created_at"]}),
        (
            "Terms",
            {
                "fields": [
                    *("shown_amount", "amount", "token", "network", "fee_bps", "quoted_fee_bps", "shown_duration"),
                    *("creator_address", "recipient", "bound_payer", "valid_until", "payment_id", "salt"),
                ]
            },
        ),
        (
            "On the chain",
            {
                "fields": [
                    *("payer", "deposit_link", "deposit_tx_hash", "deposit_block", "release_after", "expires_at"),
                    *("shown_refund", "refunded_amount"),
                ]
            },
        ),
        ("Times", {"fields": ["deposited_at", "activated_at", "closed_at", "lapsed_at", "unknown_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Purchase]:
        rows: QuerySet[Purchase] = super().get_queryset(request)
        return rows.prefetch_related("buyer__wallets")

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[..., Any]]:
        book = TokenBook()  # one for the whole list

        @admin.display(description="Amount", ordering="amount")
        def amount(purchase: Purchase) -> str:
            return format_amount(purchase.amount, book.find(purchase.network, purchase.token))

        return ["id", "shown_status", "agent", "buyer", amount, "network", "shown_recipient", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Purchase | None = None) -> list[str]:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    @display(description="Status", ordering="status", label=PURCHASE_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, purchase: Purchase) -> str:
        return purchase.get_status_display()

    @admin.display(description="Recipient", ordering="recipient")
    def shown_recipient(self, purchase: Purchase) -> str:
        return shortened(purchase.recipient)

    @admin.display(description="Price")
    def shown_amount(self, purchase: Purchase) -> str:
        return format_amount(purchase.amount, TokenBook().find(purchase.network, purchase.token))

    @admin.display(description="Sent back")
    def shown_refund(self, purchase: Purchase) -> str:
        return format_amount(purchase.refunded_amount, TokenBook().find(purchase.network, purchase.token))

    @admin.display(description="Access")
    def shown_duration(self, purchase: Purchase) -> str:
        return str(timedelta(seconds=purchase.access_duration)) if purchase.access_duration else "for ever"

    @admin.display(description="Deposit")
    def deposit_link(self, purchase: Purchase) -> str:
        return transaction_link(purchase.network, purchase.deposit_tx_hash)


@admin.register(EscrowFact)
class EscrowFactAdmin(ReadOnlyAdmin):
    """Events of the escrow; those with a problem credited nobody and want a look."""

    list_display = [
        "name",
        "shown_payment_id",
        "purchase",
        "status",
        "problem",
        "network",
        "block_number",
        "block_time",
    ]
    list_filter = ["problem", "name", "status", "network"]
    list_select_related = ["purchase"]
    search_fields = ["payment_id", "event__transaction_hash"]
    search_help_text = "Payment id or transaction hash (or a piece with 0x)"
    ordering = ["-block_number", "-log_index"]
    readonly_fields = ["transaction"]

    @admin.display(description="Payment id", ordering="payment_id")
    def shown_payment_id(self, fact: EscrowFact) -> str:
        return shortened(fact.payment_id)

    @admin.display(description="Transaction")
    def transaction(self, fact: EscrowFact) -> str:
        return transaction_link(fact.network, fact.event.transaction_hash)


class EntitlementFactInline(_FactInline):
    model = EntitlementFact
    fields = ["shown_expiry", "status", "block_number", "block_time", "confirmed_at"]
    readonly_fields = fields

    @admin.display(description="Access until")
    def shown_expiry(self, fact: EntitlementFact) -> str:
        return expiry(fact.expires_at)


@admin.register(Entitlement)
class EntitlementAdmin(ReadOnlyAdmin):
    """Who may use what, as the entitlements contract has it."""

    list_display = ["holder", "onchain_agent_id", "network", "shown_expiry", "shown_seen_expiry", "updated_at"]
    list_filter = ["network", "updated_at"]
    search_fields = ["holder", "=onchain_agent_id"]
    search_help_text = "Holder's address (or a piece with 0x), or the agent's token id"
    ordering = ["-id"]
    inlines = [EntitlementFactInline]

    @admin.display(description="Access until", ordering="expires_at")
    def shown_expiry(self, entitlement: Entitlement) -> str:
        return expiry(entitlement.expires_at)

    @admin.display(description="Until, unconfirmed", ordering="seen_expires_at")
    def shown_seen_expiry(self, entitlement: Entitlement) -> str:
        return expiry(entitlement.seen_expires_at)


def expiry(seconds: int) -> str:
    """Unix seconds as people read them."""
    if seconds == 0:
        return "none"
    at = None if seconds == LIFETIME else moment(seconds)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "for ever"


def transaction_link(network: str, transaction_hash: str | None) -> str:
    """The transaction in the network's explorer, or its hash where there is none."""
    if not transaction_hash:
        return "-"
    try:
        url = get_network(network).transaction_url(transaction_hash)
    except UnknownNetworkError:
        url = ""
    return format_html('<a href="{}" rel="noreferrer">{}</a>', url, transaction_hash) if url else transaction_hash
