"""Smart accounts and user operations for staff: to find and to look at. Owners sign and the chain decides."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.admin import TabularInline
from unfold.decorators import display

from chain.admin import ReadOnlyAdmin
from chain.errors import UnknownNetworkError
from chain.networks import get_network
from chain.tokens import format_units
from wallets.models import BackupPasskey, SmartAccount, User, UserOperation

RECENT = 10
OF_USER = "account__user__id__exact"

STATUS_LABELS = {
    "Done": "success",
    "Sent to the bundler": "info",
    "Signed": "info",
    "Waiting for the signature": "info",
    "Unknown": "warning",
    "Failed": "danger",
    "Dropped": "warning",
}


class _ShownInline(TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False
    ordering = ["-id"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserOperationInline(_ShownInline):
    """What an account did."""

    model = UserOperation
    show_change_link = True
    fields = ["status", "purpose", "nonce", "code", "block_number", "created_at"]


class BackupPasskeyInline(_ShownInline):
    """The passkeys made for an account after its first one."""

    model = BackupPasskey
    fields = ["owns", "created_at"]


class SmartAccountInline(_ShownInline):
    """A user's smart accounts."""

    model = SmartAccount
    show_change_link = True
    fields = ["address", "network", "owner_kind", "owner_address", "is_deployed", "created_at"]


def recent_operations(user: User) -> str:
    """The user's latest operations, each a link, and the way to all of them."""
    mine = UserOperation.objects.filter(account__user=user).order_by("-id")[:RECENT]
    if not mine:
        return "-"
    shown = format_html_join(
        "",
        '<li><a href="{}">{}</a>, {}</li>',
        ((_page(each), each, f"{each.created_at:%Y-%m-%d %H:%M}") for each in mine),
    )
    everything = f"{reverse('admin:wallets_useroperation_changelist')}?{OF_USER}={user.pk}"
    return format_html('<ul>{}</ul><a href="{}">All operations of this user</a>', shown, everything)


def _page(operation: UserOperation) -> str:
    return reverse("admin:wallets_useroperation_change", args=[operation.pk])


@admin.register(SmartAccount)
class SmartAccountAdmin(ReadOnlyAdmin):
    list_display = ["address", "network", "user", "owner_kind", "owner_address", "is_deployed", "created_at"]
    list_filter = ["network", "owner_kind", "is_deployed", "created_at"]
    list_select_related = ["user"]
    search_fields = ["address", "owner_address", "user__email", "user__display_name"]
    search_help_text = "Address of the account or its owner (or a piece with 0x); user's name or e-mail"
    ordering = ["-id"]
    exclude = ["credential_id"]
    inlines = [BackupPasskeyInline, UserOperationInline]

    def get_inlines(self, request: HttpRequest, obj: SmartAccount | None) -> list[Any]:
        """Backups are of passkeys only."""
        has_backups = obj is not None and obj.owner_kind == SmartAccount.Owner.PASSKEY
        return [inline for inline in self.inlines if has_backups or inline is not BackupPasskeyInline]


@admin.register(UserOperation)
class UserOperationAdmin(ReadOnlyAdmin):
    list_display = ["id", "shown_status", "purpose", "account", "nonce", "shown_gas", "code", "created_at"]
    list_filter = [
        *("status", "account__network", "account__owner_kind", ("paymaster", admin.EmptyFieldListFilter)),
        *(("replaces", admin.EmptyFieldListFilter), "code", "created_at"),
    ]
    list_select_related = ["account__user"]
    date_hierarchy = "created_at"
    search_fields = ["=id", "user_op_hash", "transaction_hash", "account__address", "account__user__email"]
    search_help_text = "Id, hash of the operation or its transaction, the account's address (or a piece with 0x)"
    ordering = ["-id"]
    fieldsets = [
        (None, {"fields": ["id", "shown_status", "code", "detail", "purpose", "account", "calls"]}),
        ("Replacement", {"fields": ["replaces", "shown_winner"]}),
        ("Gas", {"fields": ["shown_gas", "shown_most", "max_fee_per_gas", "max_priority_fee_per_gas", "paymaster"]}),
        ("On the chain", {"fields": ["user_op_hash", "nonce", "transaction", "block_number", "bundler"]}),
        (
            "Times",
            {"fields": ["created_at", "expires_at", "signed_at", "sent_at", "checked_at", "closed_at", "confirmed_at"]},
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: UserOperation | None = None) -> list[str]:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, operation: UserOperation) -> str:
        return operation.get_status_display()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """A user's page links to that user's operations."""
        return lookup == OF_USER or bool(super().lookup_allowed(lookup, value, request))

    @admin.display(description="In a block instead of it")
    def shown_winner(self, operation: UserOperation) -> str:
        winner = operation.displaced_by
        return format_html('<a href="{}">{}</a>', _page(winner), winner.pk) if winner else "-"

    @admin.display(description="Gas paid", ordering="gas_cost")
    def shown_gas(self, operation: UserOperation) -> str:
        return "-" if operation.gas_cost is None else f"{format_units(operation.gas_cost, 18)} ETH"

    @admin.display(description="Gas at most")
    def shown_most(self, operation: UserOperation) -> str:
        return f"{format_units(operation.max_gas_cost, 18)} ETH"

    @admin.display(description="Transaction")
    def transaction(self, operation: UserOperation) -> str:
        if not operation.transaction_hash:
            return "-"
        try:
            url = get_network(operation.account.network).transaction_url(operation.transaction_hash)
        except UnknownNetworkError:
            url = ""
        shown = operation.transaction_hash
        return format_html('<a href="{}" rel="noreferrer">{}</a>', url, shown) if url else shown
