"""Agents, versions, search, purchases and moderation."""

from django.apps import AppConfig


class MarketplaceConfig(AppConfig):
    name = "marketplace"
    verbose_name = "Marketplace"

    def ready(self) -> None:
        from marketplace import chain_events
        from marketplace.catalogue.closing import archive_agents_of
        from marketplace.payouts import least  # noqa: F401  registers its system check
        from wallets.signin import closing

        chain_events.register()
        closing.subscribe(archive_agents_of)
