"""Page routes."""

from django.urls import URLPattern

app_name = "executions"
urlpatterns: list[URLPattern] = []
