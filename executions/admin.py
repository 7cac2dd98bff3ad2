"""Executions for staff: to look at, to search, to stop. Nothing here can be edited."""

import re
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from executions import dispatch
from executions.files.admin import FileAdmin
from executions.models import EgressRecord, Execution
from executions.nodes.admin import NodeAdmin, OrphanAdmin, ReasonForm
from executions.presentation import neutralised_json
from wallets.models import LinkedWallet, User

__all__ = ["ExecutionAdmin", "FileAdmin", "NodeAdmin", "OrphanAdmin"]
ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
SHOWN = (
    *("live_view", "id", "user", "agent", "version", "status", "reason", "error", "exit_code"),
    *(
        "priority",
        "needs",
        "attempt",
        "failures",
        "node",
        "worker",
        "container_id",
        "cancel_requested",
        "last_seq",
        "deadline_seconds",
    ),
    *("queued_at", "not_before", "cancel_at", "started_at", "lease_until", "deadline_at", "finished_at"),
)
DOCUMENTS = ("shown_input", "shown_output")


class EgressRecordInline(TabularInline):  # type: ignore[misc]
    """What the run connected to."""

    model = EgressRecord
    verbose_name_plural = "connections"
    fields = readonly_fields = ["attempt", "at", "host", "port", "sent", "received", "verdict", "count"]
    extra = 0
    can_delete = False
    per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Execution | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Execution | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Execution | None = None) -> bool:
        return request.user.has_perm("executions.view_execution")


@admin.register(Execution)
class ExecutionAdmin(ModelAdmin):  # type: ignore[misc]
    """Inputs and outputs are the buyers' own: shown only to staff with the permission to see documents."""

    list_display = ["id", "agent", "version_number", "user", "shown_status", "reason", "attempt", "queued_at", "took"]
    list_filter = ["status", "reason", "priority", "node", "queued_at"]
    action_form = ReasonForm
    search_fields = ["=id", "agent__slug", "agent__name", "user__email", "worker"]
    search_help_text = "Id, agent, e-mail, wallet or worker"
    list_select_related = ["agent", "version", "user"]
    date_hierarchy = "queued_at"
    ordering = ["-id"]
    actions = ["stop_executions", "make_urgent"]
    inlines = [EgressRecordInline]
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Execution]:
        rows: QuerySet[Execution] = super().get_queryset(request)
        return rows.prefetch_related("user__wallets")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Execution], search_term: str
    ) -> tuple[QuerySet[Execution], bool]:
        """Wallets through a subquery: joined, they would need DISTINCT, which JSON columns cannot have."""
        term = search_term.strip()
        if ADDRESS.fullmatch(term):
            return queryset.filter(user__in=LinkedWallet.objects.filter(address=term).values("user")), False
        found: QuerySet[Execution] = super().get_search_results(request, queryset, search_term)[0]
        return found, False

    def get_fields(self, request: HttpRequest, obj: Execution | None = None) -> list[str]:
        names = list(SHOWN)
        if request.user.has_perm("executions.view_documents"):
            names += DOCUMENTS
        return names

    def get_readonly_fields(self, request: HttpRequest, obj: Execution | None = None) -> list[str]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Execution | None = None) -> bool:
        return False

    @action(description="Stop selected executions", permissions=["change"])  # type: ignore[untyped-decorator]
    def stop_executions(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        reason = request.POST.get("reason", "").strip()[:200]
        unfinished = list(queryset.filter(finished_at=None).values_list("pk", flat=True))
        for execution_id in unfinished:
            execution = dispatch.cancel(cast("User", request.user), execution_id, reason)
            self.log_change(request, execution, f"Stopped. {reason}".strip())
        self.message_user(request, f"{len(unfinished)} executions asked to stop.", messages.SUCCESS)

    @action(description="Run next, before everybody else's", permissions=["change"])  # type: ignore[untyped-decorator]
    def make_urgent(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        reason = request.POST.get("reason", "").strip()[:200]
        waiting = list(queryset.filter(status=Execution.Status.QUEUED))
        for execution in waiting:
            Execution.objects.filter(pk=execution.pk).update(priority=Execution.Priority.URGENT)
            self.log_change(request, execution, f"Made urgent. {reason}".strip())
        self.message_user(request, f"{len(waiting)} executions will run next.", messages.SUCCESS)

    @display(description="Live view")  # type: ignore[untyped-decorator]
    def live_view(self, execution: Execution) -> str:
        return format_html(
            '<a href="{}">State and log as they come</a>', reverse("executions:detail", args=[execution.pk])
        )

    @display(description="Version")  # type: ignore[untyped-decorator]
    def version_number(self, execution: Execution) -> str:
        return execution.version.number

    @display(  # type: ignore[untyped-decorator]
        description="Status",
        ordering="status",
        label={"Succeeded": "success", "Failed": "danger", "Timed out": "danger", "Running": "info"},
    )
    def shown_status(self, execution: Execution) -> str:
        return execution.get_status_display()

    @display(description="Took")  # type: ignore[untyped-decorator]
    def took(self, execution: Execution) -> str:
        seconds = execution.duration_seconds
        return "" if seconds is None else f"{seconds:.1f} s"

    @display(description="Input")  # type: ignore[untyped-decorator]
    def shown_input(self, execution: Execution) -> str:
        return neutralised_json(execution.input)

    @display(description="Output")  # type: ignore[untyped-decorator]
    def shown_output(self, execution: Execution) -> Any:
        return "" if execution.status != Execution.Status.SUCCEEDED else neutralised_json(execution.output)
