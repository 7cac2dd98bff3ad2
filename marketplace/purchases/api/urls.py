"""API routes of purchases."""

from django.urls import URLPattern, path

from marketplace.purchases.api import views

urlpatterns: list[URLPattern] = [
    path("purchases", views.PurchaseList.as_view(), name="api-purchases"),
    path("purchases/<uuid:purchase_id>", views.PurchaseDetail.as_view(), name="api-purchase"),
]
