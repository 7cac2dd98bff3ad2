"""Which client a request came from, for limits and session lists."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_ip(request: HttpRequest) -> str:
    """The peer of the connection; behind proxies of settings.TRUSTED_PROXIES the rightmost address they did not add.

    Anything further left in X-Forwarded-For was written by the client and is never believed.
    """
    peer = _parse(request.META.get("REMOTE_ADDR", ""))
    if peer is None:
        return "0.0.0.0"  # noqa: S104  an address of nobody: a Unix socket has no peer address
    found = peer
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    for hop in reversed(hops):
        if not _trusted(found):
            break
        claimed = _parse(hop)
        if claimed is None:
            break
        found = claimed
    return str(found)


def rate_key(ip: str) -> str:
    """What one client can hardly change: the IPv4 address, or the /64 that an IPv6 host is given."""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, 64), strict=False).network_address) + "/64"
    return ip


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _trusted(address: Address) -> bool:
    return any(address in ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES)
