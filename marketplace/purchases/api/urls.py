"""API routes of purchases."""

from django.urls import URLPattern, path

from marketplace.purchases.api import settling, views

urlpatterns: list[URLPattern] = [
    path("purchases", views.PurchaseList.as_view(), name="api-purchases"),
    path("purchases/<uuid:purchase_id>", views.PurchaseDetail.as_view(), name="api-purchase"),
    path(
        "purchases/<uuid:purchase_id>/authorization",
        settling.AuthorizationView.as_view(),
        name="api-purchase-authorization",
    ),
    path("purchases/<uuid:purchase_id>/timeline", settling.TimelineView.as_view(), name="api-purchase-timeline"),
    path("purchases/<uuid:purchase_id>/release", settling.ReleaseView.as_view(), name="api-purchase-release"),
    path("purchases/<uuid:purchase_id>/refund", settling.RefundView.as_view(), name="api-purchase-refund"),
    path("purchases/<uuid:purchase_id>/dispute", settling.DisputeView.as_view(), name="api-purchase-dispute"),
    path("purchases/<uuid:purchase_id>/answer", settling.AnswerView.as_view(), name="api-purchase-answer"),
    path("purchases/<uuid:purchase_id>/withdraw", settling.WithdrawView.as_view(), name="api-purchase-withdraw"),
]
