"""The chain room: networks, contracts, deployments, events, outgoing transactions. Knows nothing of users or agents."""

from django.apps import AppConfig


class ChainConfig(AppConfig):
    name = "chain"
    verbose_name = "Chain"

    def ready(self) -> None:
        from chain import checks  # noqa: F401  registers the system checks
        from chain.api.fields import register

        register()
