"""Routes of the demo wallet."""

from django.urls import URLPattern, path

from wallets.demo_wallet import views

urlpatterns: list[URLPattern] = [
    path("fund", views.fund, name="demo-wallet-fund"),
    path("rpc", views.rpc, name="demo-wallet-rpc"),
]
