"""Agents for staff: to find, look at, suspend and restore. What creators wrote stays theirs to change."""

import re
from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from chain.admin import ReadOnlyAdmin
from chain.tokens import format_amount
from marketplace.api.tokens import TokenBook
from marketplace.catalogue import agents as operations
from marketplace.catalogue import verdicts
from marketplace.catalogue.demands import MIB
from marketplace.catalogue.models import Agent, AgentPrice, AgentVersion, Category
from marketplace.errors import MarketplaceError
from wallets.models import User

VERDICT_LABELS = {"Accepted": "success", "Being checked": "info", "Refused": "danger"}
AGENT_LABELS = {"Draft": "info", "Published": "success", "Suspended": "danger", "Archived": "warning"}


class _ReadOnlyInline(TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AgentPriceInline(_ReadOnlyInline):
    """Prices are money: they change by the creator's own hand only."""

    model = AgentPrice
    fields = ["token", "amount", "shown_amount"]
    readonly_fields = fields

    @admin.display(description="Price")
    def shown_amount(self, price: AgentPrice) -> str:
        return format_amount(price.amount, TokenBook().find(price.agent.network, price.token))


class AgentVersionInline(_ReadOnlyInline):
    model = AgentVersion
    fields = ["number", "status", "verdict", "reference", "created_at", "withdrawn_at"]
    readonly_fields = fields
    ordering = ["-sort_key"]
    show_change_link = True


@admin.register(Category)
class CategoryAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ["name", "slug", "position", "agent_count"]
    list_editable = ["position"]
    search_fields = ["name", "slug"]
    ordering = ["position", "name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        rows: QuerySet[Category] = super().get_queryset(request)
        return rows.annotate(agent_total=Count("agents"))

    def get_readonly_fields(self, request: HttpRequest, obj: Category | None = None) -> list[str]:
        return ["slug"] if obj is not None else []

    @admin.display(description="Agents", ordering="agent_total")
    def agent_count(self, category: Category) -> int:
        return cast("int", getattr(category, "agent_total", 0))


@admin.register(Agent)
class AgentAdmin(ModelAdmin):  # type: ignore[misc]
    """Staff may file an agent under another category, and take it out of the catalogue."""

    list_filter = ["status", "category", "network", "published_at"]
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    search_fields = [
        "name",
        "slug",
        "=onchain_id",
        "creator__display_name",
        "creator__email",
        "creator__wallets__address",
    ]
    search_help_text = "Name, address on the site, token id; creator's name, e-mail or wallet"
    date_hierarchy = "created_at"
    ordering = ["-id"]
    actions = ["suspend_agents", "restore_agents"]
    inlines = [AgentPriceInline, AgentVersionInline]
    fields = [
        *("name", "slug", "onchain_id", "status", "creator", "category", "network"),
        *("tagline", "description", "access_duration", "purchase_count", "execution_count"),
        *("created_at", "updated_at", "published_at"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        return Agent.objects.with_listing()

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[..., Any]]:
        book = TokenBook()  # one for the whole list

        @admin.display(description="Prices")
        def prices(agent: Agent) -> str:
            known = ((price.amount, book.find(agent.network, price.token)) for price in agent.prices.all())
            return ", ".join(format_amount(amount, token) for amount, token in known)

        return ["name", "creator", "category", "shown_status", "live_number", prices, "purchase_count", "published_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Agent | None = None) -> list[str]:
        return [name for name in self.fields if name != "category"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Agent | None = None) -> bool:
        return False

    @display(description="Status", ordering="status", label=AGENT_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, agent: Agent) -> str:
        return agent.get_status_display()

    @admin.display(description="Live version")
    def live_number(self, agent: Agent) -> str:
        version = agent.live_version
        return version.number if version else "none"

    @admin.action(description="Suspend: take out of the catalogue", permissions=["change"])
    def suspend_agents(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        self._each(request, queryset, operations.suspend, "Suspended.")

    @admin.action(description="Restore after a suspension", permissions=["change"])
    def restore_agents(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        self._each(request, queryset, operations.restore, "Restored.")

    def _each(
        self, request: HttpRequest, agents: QuerySet[Agent], operation: Callable[[Agent, User], Agent], done: str
    ) -> None:
        changed = 0
        for agent in agents:
            try:
                operation(agent, cast("User", request.user))
            except MarketplaceError as error:
                self.message_user(request, f"{agent}: {error.message}", messages.WARNING)
            else:
                self.log_change(request, agent, done)
                changed += 1
        if changed:
            self.message_user(request, f"{done} {changed} changed.", messages.SUCCESS)


@admin.register(AgentVersion)
class AgentVersionAdmin(ReadOnlyAdmin):
    """Versions never change; staff may withdraw one."""

    list_display = ["agent", "number", "shown_status", "shown_verdict", "short_reference", "created_at"]
    list_filter = ["status", "verdict", "kind", "created_at"]
    list_select_related = ["agent"]
    search_fields = ["agent__name", "agent__slug", "image", "=module", "=number"]
    search_help_text = "Agent, image or digest, module's SHA-256, number"
    ordering = ["-id"]
    actions = ["withdraw_versions", "check_versions_again"]
    fields = [
        *("agent", "number", "status", "verdict", "verdict_reason", "check_at", "kind", "whole_reference"),
        *("shown_share", "gpus", "runtime", "hosts"),
        *("input_schema", "output_schema", "example_input", "release_notes", "created_at", "withdrawn_at"),
    ]

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        """Who may change agents may withdraw their versions."""
        return request.user.has_perm("marketplace.change_agentversion")

    @display(  # type: ignore[untyped-decorator]
        description="Status", ordering="status", label={"Live": "success", "Withdrawn": "warning"}
    )
    def shown_status(self, version: AgentVersion) -> str:
        return version.get_status_display()

    @display(  # type: ignore[untyped-decorator]
        description="Image", ordering="verdict", label=VERDICT_LABELS
    )
    def shown_verdict(self, version: AgentVersion) -> str:
        return version.get_verdict_display()

    @admin.display(description="A run gets")
    def shown_share(self, version: AgentVersion) -> str:
        share = version.share
        return f"{share.memory_bytes // MIB:,} MiB, {share.cpus} cores, {share.timeout_seconds:,} s"

    @admin.display(description="Runs")
    def short_reference(self, version: AgentVersion) -> str:
        name, _, digest = version.reference.rpartition(":")
        return f"{name}:{digest[:12]}…"

    @admin.display(description="Runs")
    def whole_reference(self, version: AgentVersion) -> str:
        """With places to break it, for narrow screens."""
        parts = re.findall(".{1,16}", version.reference)
        return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in parts))

    @admin.action(description="Withdraw: no new run uses it", permissions=["withdraw"])
    def withdraw_versions(self, request: HttpRequest, queryset: QuerySet[AgentVersion]) -> None:
        self._each(request, queryset, operations.withdraw_version, "Withdrawn.", "withdrawn")

    @admin.action(description="Check the images of refused ones again", permissions=["withdraw"])
    def check_versions_again(self, request: HttpRequest, queryset: QuerySet[AgentVersion]) -> None:
        self._each(request, queryset, verdicts.ask_again, "Being checked again.", "being checked again")

    def _each(
        self,
        request: HttpRequest,
        versions: QuerySet[AgentVersion],
        operation: Callable[[AgentVersion, User], AgentVersion],
        done: str,
        said: str,
    ) -> None:
        changed = 0
        for version in versions.select_related("agent"):
            try:
                operation(version, cast("User", request.user))
            except MarketplaceError as error:
                self.message_user(request, f"{version}: {error.message}", messages.WARNING)
            else:
                self.log_change(request, version, done)
                changed += 1
        if changed:
            self.message_user(request, f"{changed} {said}.", messages.SUCCESS)
