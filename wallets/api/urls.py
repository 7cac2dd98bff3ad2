"""API routes."""

from django.urls import URLPattern, path

from wallets.api import accounts, credentials, signin
from wallets.smart_accounts.api.urls import urlpatterns as smart_accounts

urlpatterns: list[URLPattern] = [
    path("auth/siwe/nonce", signin.NonceView.as_view(), name="api-siwe-nonce"),
    path("auth/siwe/verify", signin.VerifyView.as_view(), name="api-siwe-verify"),
    path("auth/siwe/confirm", signin.ConfirmView.as_view(), name="api-siwe-confirm"),
    path("auth/token/refresh", signin.RefreshView.as_view(), name="api-token-refresh"),
    path("auth/logout", signin.LogoutView.as_view(), name="api-logout"),
    path("me", accounts.MeView.as_view(), name="api-me"),
    path("wallets", accounts.WalletsView.as_view(), name="api-wallets"),
    path("wallets/<str:address>", accounts.WalletView.as_view(), name="api-wallet"),
    path("wallets/<str:address>/primary", accounts.PrimaryWalletView.as_view(), name="api-wallet-primary"),
    path("sessions", credentials.SessionsView.as_view(), name="api-sessions"),
    path("sessions/<uuid:session_id>", credentials.SessionView.as_view(), name="api-session"),
    path("api-keys", credentials.ApiKeysView.as_view(), name="api-api-keys"),
    path("api-keys/<uuid:key_id>", credentials.ApiKeyView.as_view(), name="api-api-key"),
    path("api-keys/<uuid:key_id>/rotate", credentials.ApiKeyRotateView.as_view(), name="api-api-key-rotate"),
    *smart_accounts,
]
