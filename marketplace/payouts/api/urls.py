"""API routes of sales and payouts."""

from django.urls import URLPattern, path

from marketplace.payouts.api import views

urlpatterns: list[URLPattern] = [
    path("sales", views.SaleList.as_view(), name="api-sales"),
    path("payouts", views.PayoutsView.as_view(), name="api-payouts"),
    path("payouts/withdraw", views.WithdrawView.as_view(), name="api-payouts-withdraw"),
]
