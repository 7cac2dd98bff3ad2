"""System checks of the chain settings (`manage.py check`). They never talk to a node; `check_chain` does."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  Django's own name
from django.core.exceptions import ImproperlyConfigured
from web3 import Web3

from chain.keys import is_public_test_key
from chain.networks import Network, all_networks, network


@register(Tags.security)
def check_networks(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Whether every network is complete and unambiguous, and every key fit for the networks it would be used on."""
    found: list[CheckMessage] = []
    for slug, conf in settings.NETWORKS.items():
        try:
            found += _check_network(network(slug, conf))
        except ImproperlyConfigured as exc:
            found.append(Error(str(exc), id="chain.E001"))
    if any(message.is_serious() for message in found):
        return found
    counts = Counter(item.chain_id for item in all_networks())
    found += [
        Error(f"Chain id {chain_id} is configured for {count} networks; it must name one.", id="chain.E002")
        for chain_id, count in counts.items()
        if count > 1
    ]
    if settings.DEFAULT_NETWORK not in [item.slug for item in all_networks()]:
        found.append(
            Error(
                f"DEFAULT_NETWORK is {settings.DEFAULT_NETWORK!r}, which has no RPC endpoint.",
                hint="Set its *_RPC_URLS, or name another network.",
                id="chain.E003",
            )
        )
    return found + _check_keys()


def _check_network(item: Network) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if item.chain_id < 1 or item.block_time < 1 or item.confirmations < 0:
        found.append(
            Error(f"{item.slug}: chain_id and block_time must be positive, confirmations 0 or more.", id="chain.E004")
        )
    if item.usdc and not Web3.is_checksum_address(item.usdc):
        found.append(Error(f"{item.slug}: usdc is not a checksummed address.", id="chain.E005"))
    for url in item.rpc_urls:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            found.append(Error(f"{item.slug}: an RPC URL is not an http(s) address.", id="chain.E006"))
        elif urlsplit(url).scheme == "http" and not item.is_local and not _is_private(urlsplit(url).hostname or ""):
            found.append(Warning(f"{item.slug}: an RPC URL is not encrypted (http).", id="chain.W001"))
    if item.confirmations == 0 and not item.is_local:
        found.append(Warning(f"{item.slug}: with 0 confirmations every reorg takes access back.", id="chain.W002"))
    return found


def _check_keys() -> list[CheckMessage]:
    public = sorted(name for name, value in settings.KEYS.items() if value and is_public_test_key(value))
    if not public or all(item.is_local for item in all_networks()):
        return []
    return [
        Warning(
            f"{', '.join(public)}: keys that everybody knows. They are refused on every network but a local one.",
            id="chain.W003",
        )
    ]


def _is_private(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1") or "." not in host
