"""Users, sign-in, linked wallets, credentials and smart accounts."""

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"
    verbose_name = "Wallets"

    def ready(self) -> None:
        """Register the system checks and what the OpenAPI document says of authentication."""
        from wallets import checks  # noqa: F401
        from wallets.api import authentication  # noqa: F401
