"""Disputes for those who decide them: a queue with the nearest deadline first, and one page to read and decide."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from chain.admin import ReadOnlyAdmin
from chain.errors import DomainError
from chain.models import OutboxTransaction
from chain.tokens import Token, format_amount
from marketplace.api.tokens import TokenBook
from marketplace.disputes.evidence import evidence_for
from marketplace.disputes.forms import DecisionForm
from marketplace.disputes.models import Decision, Dispute
from marketplace.disputes.resolving import FAILED, division, obstacle, resolve, time_left
from marketplace.payouts.reasons import sentence
from marketplace.purchases.admin import transaction_link
from marketplace.purchases.models import EscrowFact, Purchase
from marketplace.purchases.timeline import OUTBOX_SENTENCES, timeline

HOUR, DAY = 3_600, 86_400


class OpenFilter(admin.SimpleListFilter):
    """Open disputes unless all are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        choices = list(super().choices(changelist))
        return [{**choices[0], "display": "Open"}, *choices[1:]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        match self.value():
            case "all":
                return queryset
            case "closed":
                return queryset.exclude(status=Purchase.Status.DISPUTED)
            case _:
                return queryset.filter(status=Purchase.Status.DISPUTED)


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """Whoever may see disputes reads them; deciding takes a permission of its own."""

    list_display = ["shown_time_left", "agent", "buyer", "shown_price", "shown_state", "statement_count", "expires_at"]
    list_display_links = ["shown_time_left", "agent"]
    list_filter = [OpenFilter, "network"]
    list_select_related = ["agent", "buyer"]
    search_fields = ["=id", "payment_id", "agent__name", "agent__slug", "buyer__display_name", "buyer__email"]
    search_help_text = "Id, payment id, agent, or the buyer's name or e-mail"
    ordering = ["expires_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        rows: QuerySet[Dispute] = super().get_queryset(request)
        opened = EscrowFact.objects.filter(purchase=OuterRef("pk"), name="DisputeOpened", problem="")
        disputed = rows.filter(Exists(opened.exclude(status="reverted")))
        return disputed.prefetch_related("buyer__wallets", "statements", "decisions__transaction")

    def may_decide(self, request: HttpRequest) -> bool:
        """Whether this member of staff may decide disputes."""
        return bool(request.user.has_perm("marketplace.resolve_dispute"))

    @display(description="Time left", ordering="expires_at")  # type: ignore[untyped-decorator]
    def shown_time_left(self, dispute: Dispute) -> str:
        return shown_seconds(dispute, timezone.now())

    @display(description="Amount", ordering="amount")  # type: ignore[untyped-decorator]
    def shown_price(self, dispute: Dispute) -> str:
        return format_amount(dispute.amount, _token(dispute))

    @display(  # type: ignore[untyped-decorator]
        description="State",
        label={"To decide": "danger", "Decided": "info", "Could not be carried out": "danger", "Closed": "success"},
    )
    def shown_state(self, dispute: Dispute) -> str:
        if dispute.status != Purchase.Status.DISPUTED:
            return "Closed"
        last = max(dispute.decisions.all(), key=lambda decision: decision.number, default=None)
        if last is None:
            return "To decide"
        return "Could not be carried out" if last.transaction.status in FAILED else "Decided"

    @display(description="Statements")  # type: ignore[untyped-decorator]
    def statement_count(self, dispute: Dispute) -> int:
        return len(dispute.statements.all())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Read both sides and what is known; decide in two steps, the second of which shows who gets what."""
        dispute = self.get_object(request, unquote(object_id))
        if dispute is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_view_permission(request, dispute):
            raise PermissionDenied
        if request.method == "POST":
            return self._decide(request, dispute)
        return self._page(request, dispute, DecisionForm())

    def _decide(self, request: HttpRequest, dispute: Dispute) -> HttpResponse:
        if not self.may_decide(request):
            raise PermissionDenied
        form = DecisionForm(request.POST)
        if not form.is_valid() or "back" in request.POST:
            return self._page(request, dispute, form)
        if "send" not in request.POST:
            return self._page(request, dispute, form, preview=True)
        try:
            decision = resolve(dispute, request.user, form.refund_bps, form.cleaned_data["text"])  # type: ignore[arg-type]
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            said = f"Decided: {decision}. {decision.text}"
            self.log_change(request, dispute, said)
            self.message_user(request, "The decision is on its way to the chain.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:marketplace_dispute_change", args=[dispute.pk]))

    def _page(
        self, request: HttpRequest, dispute: Dispute, form: DecisionForm, preview: bool = False
    ) -> TemplateResponse:
        token = _token(dispute)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Dispute: {dispute.agent}",
            "opts": self.opts,
            "original": dispute,
            "dispute": dispute,
            "price": format_amount(dispute.amount, token),
            "fee_percent": f"{dispute.fee_bps / 100:g}",
            "time_left": shown_seconds(dispute, timezone.now()),
            "entries": timeline(dispute),
            "evidence": evidence_for(dispute),
            "decisions": [
                _shown(decision) for decision in dispute.decisions.select_related("transaction", "decided_by")
            ],
            "obstacle": obstacle(dispute),
            "may_decide": self.may_decide(request),
            "form": form,
            "shares": _shares(dispute, form.refund_bps, token) if preview else None,
        }
        return TemplateResponse(request, "admin/marketplace/dispute/decide.html", context)


def shown_seconds(dispute: Purchase, now: datetime) -> str:
    """`2 days 5 h`, `40 min`, or that the time is over."""
    seconds = int(time_left(dispute, now))
    if dispute.status != Purchase.Status.DISPUTED:
        return "closed"
    if seconds <= 0:
        return "over"
    if seconds >= DAY:
        days, hours = divmod(seconds // HOUR, 24)
        return f"{days} day{'' if days == 1 else 's'} {hours} h"
    return f"{seconds // HOUR} h {seconds % HOUR // 60} min"


def _token(dispute: Purchase) -> Token:
    return TokenBook().find(dispute.network, dispute.token)


def _shares(dispute: Purchase, refund_bps: int, token: Token) -> list[tuple[str, str, str, str]]:
    """Rows of (who, exact units, base units, where to)."""
    parts = division(dispute.amount, refund_bps, dispute.fee_bps)
    rows = (
        ("Buyer", parts.refund, dispute.payer or ""),
        ("Creator", parts.creator, dispute.creator_address),
        ("Platform fee", parts.fee, ""),
    )
    return [(who, format_amount(amount, token), f"{amount:,}", account) for who, amount, account in rows]


def _shown(decision: Decision) -> dict[str, Any]:
    sent = decision.transaction
    status = OutboxTransaction.Status(sent.status)
    return {
        "decision": decision,
        "status": sent.get_status_display(),
        "text": sentence(sent) or OUTBOX_SENTENCES.get(status, ""),
        "failed": status in FAILED,
        "url": reverse("admin:chain_outboxtransaction_change", args=[sent.pk]),
        "transaction": transaction_link(sent.network, sent.transaction_hash),
    }
