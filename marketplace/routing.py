"""WebSocket routes."""

from django.urls import URLPattern, path

from marketplace.consumers import PurchaseConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/purchases/<uuid:purchase_id>/", PurchaseConsumer.as_asgi()),
]
