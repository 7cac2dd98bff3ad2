"""API routes of smart accounts."""

from django.urls import URLPattern, path

from wallets.smart_accounts.api import views

urlpatterns: list[URLPattern] = [
    path("smart-accounts", views.SmartAccountsView.as_view(), name="api-smart-accounts"),
    path("smart-accounts/passkey-options", views.PasskeyOptionsView.as_view(), name="api-passkey-options"),
    path("smart-accounts/<uuid:account_id>", views.SmartAccountView.as_view(), name="api-smart-account"),
    path("smart-accounts/<uuid:account_id>/passkeys", views.AccountPasskeysView.as_view(), name="api-account-passkeys"),
    path(
        "smart-accounts/<uuid:account_id>/passkeys/<str:credential_id>/remove",
        views.AccountPasskeyRemoveView.as_view(),
        name="api-account-passkey-remove",
    ),
    path("user-operations", views.UserOperationsView.as_view(), name="api-user-operations"),
    path("user-operations/<uuid:operation_id>", views.UserOperationView.as_view(), name="api-user-operation"),
    path(
        "user-operations/<uuid:operation_id>/submit",
        views.UserOperationSubmitView.as_view(),
        name="api-user-operation-submit",
    ),
    path(
        "user-operations/<uuid:operation_id>/replace",
        views.UserOperationReplaceView.as_view(),
        name="api-user-operation-replace",
    ),
]
