"""WebSocket routes."""

from django.urls import URLPattern, path

from executions.consumers import ExecutionConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/executions/<uuid:execution_id>/", ExecutionConsumer.as_asgi()),
]
