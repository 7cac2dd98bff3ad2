"""Addresses of machines."""

import ipaddress
import re
from collections.abc import Iterator

from ..spans import Kind, Span, near

IP = Kind("IP address", "IP", "low", "Personal data in the EU when it belongs to a person's connection.")
MAC = Kind("hardware address", "MAC", "low", "Tells devices apart for as long as they live.")
KINDS = (IP, MAC)

_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
_MAC = re.compile(r"(?<![\w:-])(?:[0-9a-fA-F]{2}([:-]))(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}(?![\w:-])")
_VERSION = re.compile(r"(?i)\bv(?:ersion)?\.?\s*$|release\s*$")


def addresses(text: str) -> Iterator[Span]:
    """IPv4, IPv6 and MAC addresses; loopback and unspecified addresses say nothing and are let through."""
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match[0])
            except ValueError:
                continue
            if address.is_loopback or address.is_unspecified or near(text, *match.span(), _VERSION, before=12):
                continue
            yield Span(IP, *match.span(), 0.9, f"IPv{address.version} address")
    for match in _MAC.finditer(text):
        yield Span(MAC, *match.span(), 0.95, "six bytes in hexadecimal")
