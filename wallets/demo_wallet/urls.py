"""Routes of the demo wallet."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
