"""Agents, versions, search, purchases and moderation."""

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = "Marketplace"

    def ready(self) -> None:
        from marketplace import chain_events

        chain_events.register()
