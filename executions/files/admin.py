"""Files for staff: how many, how large, whose. What is in them is nobody's business here."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from unfold.admin import ModelAdmin
from unfold.decorators import display

from executions.files.models import File, FileUse

SHOWN = ["id", "user", "source", "media_type", "shown_size", "sha256", "state", "created_at", "stored_at", "deleted_at"]
_USED = Exists(FileUse.objects.filter(file=OuterRef("pk")))


class StateFilter(admin.SimpleListFilter):
    """Whether a run has it."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("used", "Used by a run"), ("unused", "Not used"), ("deleted", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[File]) -> QuerySet[File]:
        match self.value():
            case "used":
                return queryset.filter(_USED, deleted_at=None)
            case "unused":
                return queryset.filter(~_USED, deleted_at=None)
            case "deleted":
                return queryset.filter(deleted_at__isnull=False)
        return queryset


@admin.register(File)
class FileAdmin(ModelAdmin):  # type: ignore[misc]
    """Names are the buyers' own like the documents they stand in: for staff with the permission to see those."""

    list_display = ["id", "user", "source", "media_type", "shown_size", "state", "created_at"]
    list_filter = [StateFilter, "source", "created_at"]
    list_select_related = ["user"]
    search_fields = ["=id", "=sha256", "user__email", "media_type"]
    search_help_text = "Id, SHA-256, e-mail or type"
    ordering = ["-id"]
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[File]:
        rows: QuerySet[File] = super().get_queryset(request)
        return rows.annotate(used=_USED).prefetch_related("user__wallets")

    def get_fields(self, request: HttpRequest, obj: File | None = None) -> list[str]:
        return [*SHOWN, "name"] if request.user.has_perm("executions.view_documents") else SHOWN

    def get_readonly_fields(self, request: HttpRequest, obj: File | None = None) -> list[str]:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: File | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: File | None = None) -> bool:
        return False

    @display(description="Size", ordering="size")  # type: ignore[untyped-decorator]
    def shown_size(self, file: File) -> str:
        return filesizeformat(file.size)

    @display(description="State", label={"Used": "success", "Not used": "info", "Deleted": "danger"})  # type: ignore[untyped-decorator]
    def state(self, file: File) -> str:
        if file.deleted_at is not None:
            return "Deleted"
        return "Used" if file.used else "Not used"  # type: ignore[attr-defined]
