"""System checks of this room's settings."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from chain.errors import UnknownNetworkError
from chain.networks import default_network
from wallets.signin.message import Site


@register(Tags.security)
def check_demo_wallet(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """The demo wallet hands out money, so it exists on the local chain only."""
    if not settings.DEMO_WALLET:
        return []
    try:
        local = default_network().is_local
    except UnknownNetworkError:
        local = False
    if local:
        return []
    return [
        Error(
            f"DEMO_WALLET is on, but DEFAULT_NETWORK is {settings.DEFAULT_NETWORK!r}, which is not a local chain.",
            hint="Set DEMO_WALLET=False, or DEFAULT_NETWORK=local.",
            id="wallets.E001",
        )
    ]


@register(Tags.security)
def check_sign_in_sites(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Sites are plain origins, and outside development encrypted ones."""
    found: list[CheckMessage] = []
    for url in settings.SIWE_SITES:
        site = Site.of(url)
        if site.scheme not in ("http", "https") or not site.domain or site.url != url:
            found.append(Error(f"SIWE_SITES: {url!r} is not an origin such as https://host.", id="wallets.E002"))
    if not settings.SIWE_SITES:
        found.append(Error("SIWE_SITES is empty: nobody could sign in by wallet.", id="wallets.E002"))
    return found


@register(Tags.security)
def check_trusted_proxies(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Trusted proxies are networks in CIDR notation, and never the whole Internet."""
    found: list[CheckMessage] = []
    for text in settings.TRUSTED_PROXIES:
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            found.append(Error(f"TRUSTED_PROXIES: {text!r} is not a network such as 10.0.0.0/8.", id="wallets.E003"))
            continue
        if network.prefixlen == 0:
            found.append(Error("TRUSTED_PROXIES trusts every address.", id="wallets.E004"))
    return found
