"""System checks of the sign-in and demo wallet settings."""

import pytest
from django.core.checks import run_checks
from pytest_django.fixtures import Settings


def found() -> set[str]:
    return {str(message.id) for message in run_checks() if str(message.id).startswith("wallets.")}


def test_the_development_settings_are_clean() -> None:
    assert found() == set()


@pytest.mark.parametrize("network", ["base-sepolia", "base", "nowhere"])
def test_the_demo_wallet_is_refused_on_any_other_network(network: str, settings: Settings) -> None:
    settings.DEMO_WALLET = True
    settings.NETWORKS = {
        **settings.NETWORKS,
        "base-sepolia": {**settings.NETWORKS["base-sepolia"], "rpc_urls": ["https://rpc.example"]},
    }
    settings.DEFAULT_NETWORK = network
    assert "wallets.E001" in found()


def test_without_the_demo_wallet_any_network_will_do(settings: Settings) -> None:
    settings.DEMO_WALLET = False
    settings.DEFAULT_NETWORK = "base"
    assert "wallets.E001" not in found()


@pytest.mark.parametrize("sites", [[], ["agents.example"], ["https://agents.example/"], ["ftp://agents.example"]])
def test_sites_must_be_origins(sites: list[str], settings: Settings) -> None:
    settings.SIWE_SITES = sites
    assert found() == {"wallets.E002"}


@pytest.mark.parametrize(
    ("proxies", "code"),
    [
        (["10.0.0.1/8"], "wallets.E003"),
        (["proxy"], "wallets.E003"),
        (["0.0.0.0/0"], "wallets.E004"),
        (["::/0"], "wallets.E004"),
    ],
)
def test_trusted_proxies_must_be_networks_and_not_everybody(proxies: list[str], code: str, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert found() == {code}
