"""The chain's tables for staff: to look at, search and filter. Nothing here is changed by hand: the chain decides."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline

from chain.errors import UnknownNetworkError
from chain.findings import newest
from chain.listener.heartbeat import last_beat
from chain.models import Block, Cursor, Deployment, Event, OutboxAttempt, OutboxTransaction, SendingAccount
from chain.networks import Network, get_network
from chain.tokens import format_units

SHORT = 10


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no type information
    """Lists and pages without any way to add, change or delete."""

    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    list_display = ("contract", "network", "address_link", "block_number", "created_at")
    list_filter = ("network", "contract")
    search_fields = ("contract", "network", "address")

    @admin.display(description="address", ordering="address")
    def address_link(self, row: Deployment) -> str:
        return _link(row.network, "address", row.address, row.address)


@admin.register(Cursor)
class CursorAdmin(ReadOnlyAdmin):
    list_display = ("network", "block_number", "head_number", "behind", "state", "updated_at")
    readonly_fields = ("behind", "state", "reconciliation")

    @admin.display(description="blocks behind")
    def behind(self, row: Cursor) -> int:
        return max(0, row.head_number - row.block_number)

    @admin.display(description="state")
    def state(self, row: Cursor) -> str:
        """What holds the listener up, or differs from the chain, with what to do."""
        network = _network(row.network)
        heartbeat = last_beat(network) if network else None
        if heartbeat is None:
            return "No listener runs. Start `manage.py listen`."
        return heartbeat.trouble or heartbeat.warning or "follows the chain"

    @admin.display(description="reconciliation")
    def reconciliation(self, row: Cursor) -> str:
        """Everything that the listener holds against the chain every hour, what differs first."""
        network = _network(row.network)
        audit = newest(network) if network else None
        if audit is None:
            return "Not done yet: the listener does it a minute after its start and every hour."
        lines = sorted(audit.findings, key=lambda finding: finding.ok)
        return render_to_string("admin/chain/reconciliation.html", {"at": _time(audit.at), "lines": lines})


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    list_display = ("number", "network", "hash", "timestamp")
    list_filter = ("network",)
    search_fields = ("number", "hash")
    ordering = ("-number",)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("name", "contract", "status", "network", "block_number", "transaction_link", "block_time")
    list_filter = ("status", "network", "contract", "name")
    search_fields = ("name", "transaction_hash", "address", "args")
    search_help_text = "A piece of a transaction hash, an address, a payment id, or the name of an event"
    ordering = ("-block_number", "-log_index")
    date_hierarchy = "block_time"

    @admin.display(description="transaction", ordering="transaction_hash")
    def transaction_link(self, row: Event) -> str:
        return short_transaction(row.network, row.transaction_hash)


class AttemptInline(TabularInline):  # type: ignore[misc]  # unfold has no type information
    model = OutboxAttempt
    fields = ("hash", "max_fee_per_gas", "max_priority_fee_per_gas", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(OutboxTransaction)
class OutboxTransactionAdmin(ReadOnlyAdmin):
    list_display = ("purpose", "status", "network", "key_name", "nonce", "transaction_link", "created_at", "detail")
    list_filter = ("status", "network", "key_name", "purpose")
    search_fields = ("purpose", "idempotency_key", "transaction_hash", "attempts__hash", "sender", "to")
    exclude = ("data",)
    readonly_fields = ("ether",)
    inlines = (AttemptInline,)

    @admin.display(description="transaction", ordering="transaction_hash")
    def transaction_link(self, row: OutboxTransaction) -> str:
        return short_transaction(row.network, row.transaction_hash)

    @admin.display(description="value")
    def ether(self, row: OutboxTransaction) -> str:
        return f"{format_units(row.value, 18)} ETH"


@admin.register(SendingAccount)
class SendingAccountAdmin(ReadOnlyAdmin):
    list_display = ("address", "network", "next_nonce")
    list_filter = ("network",)
    search_fields = ("address",)


def shortened(value: str) -> str:
    """A hash or an address as a list has room for; whole when pointed at."""
    return format_html('<code title="{}">{}</code>', value, _short(value)) if value else "-"


def short_transaction(slug: str, transaction_hash: str | None) -> str:
    """The same for a transaction, as a link to the network's explorer where there is one."""
    return _link(slug, "tx", transaction_hash or "", _short(transaction_hash or ""))


def _network(slug: str) -> Network | None:
    try:
        return get_network(slug)
    except UnknownNetworkError:
        return None


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _link(slug: str, kind: str, value: str, text: str) -> str:
    """The value, as a link to the network's explorer where there is one."""
    network: Any = _network(slug)
    if not value:
        return "-"
    if network is None or not network.explorer_url:
        return format_html('<code title="{}">{}</code>', value, text)
    return format_html(
        '<a href="{}/{}/{}" title="{}" rel="noopener noreferrer" target="_blank">{}</a>',
        network.explorer_url,
        kind,
        value,
        value,
        text,
    )


def _short(value: str) -> str:
    return f"{value[: SHORT + 2]}\N{HORIZONTAL ELLIPSIS}{value[-4:]}" if len(value) > SHORT + 8 else value
