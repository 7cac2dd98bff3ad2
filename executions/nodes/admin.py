"""Nodes for staff: what each has and does, taken out of service and back; and what was found on them."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextInputWidget

from executions.models import Execution, Node, Orphan
from executions.nodes import steering
from executions.nodes.querysets import SILENT
from executions.states import ACTIVE
from marketplace.catalogue import runtimes

SHOWN_IMAGES = 200


class ReasonForm(ActionForm):  # type: ignore[misc]
    """An action with a sentence that is kept in the history."""

    reason = forms.CharField(
        required=False,
        label="",
        max_length=200,
        widget=UnfoldAdminTextInputWidget({"placeholder": "Reason, for the record", "aria-label": "Reason"}),
    )


class LookOnly(ModelAdmin):  # type: ignore[misc]
    """Rows that the platform writes and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Node)
class NodeAdmin(LookOnly):
    list_display = [
        "name",
        "shown_state",
        "heard_of",
        "engine",
        "load",
        "shown_memory",
        "cpus",
        "shown_runtimes",
        "shown_labels",
        "cache",
    ]
    list_filter = ["state", "engine_ok"]
    search_fields = ["name"]
    actions = ["cordon_nodes", "drain_nodes", "return_nodes"]
    action_form = ReasonForm
    fields = readonly_fields = [
        *("name", "shown_state", "state_reason", "heard_of", "engine", "load", "shown_memory", "cpus"),
        *("shown_runtimes", "shown_labels", "cache", "shown_images", "first_seen_at", "last_seen_at"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        active = Execution.objects.filter(node=OuterRef("pk"), status__in=ACTIVE).order_by().values("node")
        rows: QuerySet[Node] = super().get_queryset(request)
        return rows.annotate(running=Coalesce(Subquery(active.annotate(n=Count("pk")).values("n")), 0))

    @action(description="Cordon: take nothing new", permissions=["change"])  # type: ignore[untyped-decorator]
    def cordon_nodes(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        self._steer(request, queryset, steering.cordon, "Cordoned")

    @action(description="Drain: hand over what runs, too", permissions=["change"])  # type: ignore[untyped-decorator]
    def drain_nodes(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        self._steer(request, queryset, steering.drain, "Drained")

    @action(description="Return to service", permissions=["change"])  # type: ignore[untyped-decorator]
    def return_nodes(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        self._steer(request, queryset, lambda name, _reason: steering.uncordon(name), "Returned to service")

    def _steer(
        self, request: HttpRequest, queryset: QuerySet[Node], how: Callable[[str, str], None], word: str
    ) -> None:
        reason = request.POST.get("reason", "").strip()[:200]
        nodes = list(queryset)
        for node in nodes:
            how(node.name, reason)
            self.log_change(request, node, f"{word}. {reason}".strip())
        self.message_user(request, f"{word}: {', '.join(node.name for node in nodes)}.", messages.SUCCESS)

    @display(description="State", label={"ready": "success", "cordoned": "warning", "draining": "warning"})  # type: ignore[untyped-decorator]
    def shown_state(self, node: Node) -> tuple[str, str]:
        return node.state, Node.State(node.state).name.capitalize()

    @display(description="Heard of", label={"now": "success", "silent": "danger"})  # type: ignore[untyped-decorator]
    def heard_of(self, node: Node) -> tuple[str, str]:
        silent = timezone.now() - node.last_seen_at
        if silent < SILENT:
            return "now", "now"
        return "silent", f"silent for {int(silent.total_seconds()):,} s"

    @display(description="Under way")  # type: ignore[untyped-decorator]
    def load(self, node: Any) -> str:
        return f"{node.running} of {node.slots}"

    @display(description="Memory for agents")  # type: ignore[untyped-decorator]
    def shown_memory(self, node: Node) -> str:
        return filesizeformat(node.memory_bytes)

    @display(description="Runtimes")  # type: ignore[untyped-decorator]
    def shown_runtimes(self, node: Node) -> str:
        return "; ".join(runtimes.described(node.labels)) or "-"

    @display(description="Labels")  # type: ignore[untyped-decorator]
    def shown_labels(self, node: Node) -> str:
        return ", ".join(runtimes.others(node.labels)) or "-"

    @display(description="Images")  # type: ignore[untyped-decorator]
    def cache(self, node: Node) -> str:
        return f"{len(node.images):,}, {filesizeformat(sum(node.images.values()))}"

    @display(description="Image cache")  # type: ignore[untyped-decorator]
    def shown_images(self, node: Node) -> str:
        largest = sorted(node.images.items(), key=lambda item: -item[1])[:SHOWN_IMAGES]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} {}</li>", _named(largest)))


def _named(images: list[tuple[str, int]]) -> list[tuple[str, str]]:
    return [(digest, filesizeformat(size)) for digest, size in images]


@admin.register(Orphan)
class OrphanAdmin(LookOnly):
    """Containers that nobody needed any more."""

    list_display = ["container_id", "node", "execution_id", "attempt", "why", "removed_at"]
    list_filter = ["node", "removed_at"]
    search_fields = ["=execution_id", "container_id"]
    date_hierarchy = "removed_at"
    fields = readonly_fields = list_display

    def has_change_permission(self, request: HttpRequest, obj: Orphan | None = None) -> bool:
        return False
