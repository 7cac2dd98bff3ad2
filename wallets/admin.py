"""Users in the admin: find them, see their wallets, suspend them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextareaWidget

from wallets.models import ApiKey, BrowserSession, LinkedWallet, TokenFamily, User
from wallets.signin import suspension
from wallets.smart_accounts import admin as smart_accounts_admin

__all__ = ["smart_accounts_admin"]

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Staff groups."""


class StaffCreationForm(UserCreationForm):  # type: ignore[misc]
    """A new staff account. Its e-mail address is confirmed by its owner at the first sign-in."""

    class Meta:
        model = User
        fields = ["email"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True


class UserForm(UserChangeForm):  # type: ignore[misc]
    """Changing a user."""

    class Meta:
        model = User
        fields = "__all__"


class SuspensionForm(forms.Form):
    """Why an account is suspended; the user is shown this."""

    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextareaWidget())


class LinkedWalletInline(TabularInline):  # type: ignore[misc]
    """The user's wallets. They change by signature only, so nobody can edit them here."""

    model = LinkedWallet
    extra = 0
    can_delete = False
    fields = ["address", "is_primary", "created_at", "last_used_at"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TokenFamilyInline(TabularInline):  # type: ignore[misc]
    """Programs that are signed in as the user."""

    model = TokenFamily
    extra = 0
    can_delete = False
    fields = ["created_at", "last_used_at", "expires_at", "revoked_at", "ip", "user_agent"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ApiKeyInline(TabularInline):  # type: ignore[misc]
    """The user's API keys; nobody but the user makes them."""

    model = ApiKey
    fk_name = "user"
    extra = 0
    can_delete = False
    fields = ["name", "prefix", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BrowserSessionInline(TabularInline):  # type: ignore[misc]
    """Browsers that are signed in as the user."""

    model = BrowserSession
    extra = 0
    can_delete = False
    fields = ["address", "created_at", "ip", "user_agent"]
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Everybody who ever signed in."""

    form = UserForm
    add_form = StaffCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [
        LinkedWalletInline,
        smart_accounts_admin.SmartAccountInline,
        BrowserSessionInline,
        TokenFamilyInline,
        ApiKeyInline,
    ]
    list_display = ["shown_name", "primary_address", "email", "is_staff", "is_active", "is_suspended", "date_joined"]
    list_filter = ["is_suspended", "is_staff", "is_active", "date_joined"]
    list_filter_submit = True
    search_fields = ["email", "display_name"]
    search_help_text = "E-mail, display name, or a wallet address (or how it begins, with 0x)"
    ordering = ["-date_joined"]
    actions = ["suspend_users", "unsuspend_users"]
    actions_detail = ["change_suspension"]
    readonly_fields = [
        "id",
        "last_login",
        "date_joined",
        "is_suspended",
        "suspended_at",
        "suspended_reason",
        "operations",
    ]
    fieldsets = [
        (None, {"fields": ["id", "display_name", "email", "password"]}),
        ("Suspension", {"fields": ["is_suspended", "suspended_at", "suspended_reason"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("User operations", {"fields": ["operations"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "usable_password", "password1", "password2"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("wallets")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Text is looked for in names; what begins with 0x among the wallets' addresses."""
        term = search_term.strip()
        if not term.lower().startswith("0x"):
            return super().get_search_results(request, queryset, search_term)
        written = Func(F("address"), Value("hex"), function="encode", output_field=TextField())
        found = LinkedWallet.objects.annotate(written=written).filter(written__startswith=term[2:].lower())
        return queryset.filter(Q(pk__in=found.values("user_id"))), False

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """Nothing hangs on an account that is being made."""
        return list(self.inlines) if obj is not None else []

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only administrators hand out rights; else staff could make themselves administrators."""
        fields = list(super().get_readonly_fields(request, obj))
        if not request.user.is_superuser:
            fields += ["is_staff", "is_superuser", "groups", "user_permissions"]
        return fields

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Administrators are changed by administrators only, their passwords included."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Accounts are closed (not active) or suspended: purchases and executions refer to them."""
        return False

    @admin.display(description="user", ordering="display_name")
    def shown_name(self, user: User) -> str:
        return user.shown_name

    @admin.display(description="latest")
    def operations(self, user: User) -> str:
        return smart_accounts_admin.recent_operations(user)

    @admin.display(description="primary wallet")
    def primary_address(self, user: User) -> str:
        return user.primary_address or "-"

    @admin.action(description="Suspend: sign out everywhere and refuse", permissions=["change"])
    def suspend_users(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Ask for the reason first, then suspend."""
        form = SuspensionForm(request.POST if "reason" in request.POST else None)
        chosen = [user for user in queryset if user.pk != request.user.pk and self.has_change_permission(request, user)]
        if not chosen:
            self.message_user(request, "None of these may be suspended by you.", messages.ERROR)
            return None
        if not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "title": "Suspend users",
                "opts": self.opts,
                "form": form,
                "users": chosen,
            }
            return TemplateResponse(request, "admin/wallets/user/suspend.html", context)
        reason = form.cleaned_data["reason"]
        suspended = [user for user in chosen if suspension.suspend(user, reason)]
        for user in suspended:
            self.log_change(request, user, f"Suspended: {reason}")
        self.message_user(request, f"{len(suspended)} suspended.", messages.SUCCESS)
        return None

    @action(description="Suspend or let back in", url_path="suspension")  # type: ignore[untyped-decorator]
    def change_suspension(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button on a user's own page: asks for the reason, or lifts the suspension."""
        found = User.objects.filter(pk=object_id)
        response = None
        if found.filter(is_suspended=True).exists():
            self.unsuspend_users(request, found)
        else:
            response = self.suspend_users(request, found)
        return response or redirect("admin:wallets_user_change", object_id)

    @admin.action(description="Lift the suspension", permissions=["change"])
    def unsuspend_users(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        lifted = [user for user in queryset if self.has_change_permission(request, user) and suspension.unsuspend(user)]
        for user in lifted:
            self.log_change(request, user, "Suspension lifted")
        self.message_user(request, f"{len(lifted)} may sign in again.", messages.SUCCESS)
