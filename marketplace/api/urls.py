"""API routes."""

from django.urls import URLPattern

from marketplace.catalogue.api.urls import urlpatterns as catalogue
from marketplace.payouts.api.urls import urlpatterns as payouts
from marketplace.purchases.api.urls import urlpatterns as purchases
from marketplace.vault.api.urls import urlpatterns as vault

urlpatterns: list[URLPattern] = [*catalogue, *purchases, *payouts, *vault]
