"""Credits, payouts and automatic steps for staff. The chain decides; stopped steps can be tried again."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from chain.admin import ReadOnlyAdmin, short_transaction, shortened
from chain.tokens import format_amount
from marketplace.api.tokens import TokenBook
from marketplace.payouts.exits import retry
from marketplace.payouts.models import Credit, Exit, Withdrawal

EXIT_LABELS = {"Waiting": "info", "Sent": "info", "Done": "success", "No longer needed": "success", "Stopped": "danger"}


def _shown_amount(row: Credit | Withdrawal) -> str:
    return format_amount(row.amount, TokenBook().find(row.network, row.token))


@admin.register(Exit)
class ExitAdmin(ReadOnlyAdmin):
    """What the platform sends by itself; the stopped ones want a look."""

    list_display = ["kind", "shown_status", "purchase", "attempts", "detail", "next_at", "created_at"]
    list_filter = ["status", "kind", "purchase__network", "created_at"]
    list_select_related = ["purchase"]
    search_fields = ["=purchase__id", "purchase__payment_id", "purchase__payer", "detail"]
    search_help_text = "Purchase id, payment id, payer's address (or a piece with 0x), or words of the reason"
    ordering = ["-id"]
    actions = ["try_again"]

    @display(description="Status", ordering="status", label=EXIT_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, row: Exit) -> str:
        return row.get_status_display()

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may have stopped steps tried again."""
        return bool(request.user.has_perm("marketplace.retry_exit"))

    @admin.action(description="Try the stopped ones again", permissions=["retry"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Exit]) -> None:
        again = [row for row in queryset if retry(row)]
        for row in again:
            self.log_change(request, row, "Tried again")
        self.message_user(request, f"{len(again)} will be tried again.", messages.SUCCESS if again else messages.INFO)


@admin.register(Credit)
class CreditAdmin(ReadOnlyAdmin):
    """What the escrow credited to whom."""

    list_display = ["kind", "shown_amount", "shown_account", "purchase", "network", "confirmed", "block_time"]
    list_filter = ["kind", "network", "confirmed"]
    list_select_related = ["purchase"]
    search_fields = ["account", "=purchase__id", "event__transaction_hash"]
    ordering = ["-block_number", "-log_index"]

    @admin.display(description="Account", ordering="account")
    def shown_account(self, row: Credit) -> str:
        return shortened(row.account)

    @admin.display(description="Amount", ordering="amount")
    def shown_amount(self, row: Credit) -> str:
        return _shown_amount(row)


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    """What left the escrow."""

    list_display = ["shown_account", "shown_amount", "network", "status", "block_time", "shown_transaction"]
    list_filter = ["network", "status"]
    list_select_related = ["event"]
    search_fields = ["account", "event__transaction_hash"]
    ordering = ["-block_number", "-log_index"]

    @admin.display(description="Account", ordering="account")
    def shown_account(self, row: Withdrawal) -> str:
        return shortened(row.account)

    @admin.display(description="Amount", ordering="amount")
    def shown_amount(self, row: Withdrawal) -> str:
        return _shown_amount(row)

    @admin.display(description="Transaction")
    def shown_transaction(self, row: Withdrawal) -> Any:
        return short_transaction(row.network, row.event.transaction_hash)
