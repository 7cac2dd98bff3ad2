"""Which addresses are on the public internet, by IANA's special-purpose registries."""

from ipaddress import IPv6Address, ip_address, ip_network

# Everything that is not the public internet, and multicast.
PRIVATE = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
)
PRIVATE_V6 = (
    *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"),
    *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8"),
)
_NETWORKS = tuple(map(ip_network, (*PRIVATE, *PRIVATE_V6)))


def is_public(text: str) -> bool:
    """Whether an address, as the resolver gives it, is on the public internet."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return not any(address in network for network in _NETWORKS)
