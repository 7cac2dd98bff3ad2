"""Users, sign-in, linked wallets, credentials and smart accounts."""

from django.apps import AppConfig


class WalletsConfig(AppConfig):
    name = "wallets"
    verbose_name = "Wallets"
