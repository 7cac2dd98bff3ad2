"""API routes."""

from django.urls import URLPattern, path

from chain.api.views import NetworksView

urlpatterns: list[URLPattern] = [path("networks", NetworksView.as_view(), name="api-networks")]
