"""Hosts that a version may reach over the network: `name:port`, names only, none of them too wide or inside."""

import re
from collections.abc import Iterable
from functools import cache

from publicsuffixlist import PublicSuffixList

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?P<wide>\*\.)?(?P<name>(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9]))")
# Names that mean this machine or the network it stands in (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal).
_INSIDE = frozenset({"arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local", "localhost"})
# Mail: an agent that can send any is a spammer's.
_REFUSED_PORTS = {25, 465, 587, 2525}


def clean_hosts(values: object, maximum: int) -> list[str]:
    """The hosts as `name:port`, each once, in their order. Raises ValueError with a sentence."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | dict):
        raise ValueError("Give a list of hosts such as api.example.com:443.")
    found: dict[str, None] = {}
    for value in values:
        found[_clean(value)] = None
        if len(found) > maximum:
            if not maximum:
                raise ValueError("Agents have no network on this platform.")
            raise ValueError(f"An agent may reach at most {maximum} hosts.")
    return list(found)


def _clean(value: object) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    host, _, port = text.rpartition(":")
    shown = text[:80] or "(empty)"
    if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65_536:
        raise ValueError(f"{shown}: write the host's name and the port, such as api.example.com:443.")
    if int(port) in _REFUSED_PORTS:
        raise ValueError(f"{shown}: agents may not send mail.")
    host = host.removesuffix(".")
    if re.fullmatch(r"\[?[0-9a-fx.:]+\]?", host) and not re.search(r"[g-wyz]", host.rpartition(".")[2]):
        raise ValueError(f"{shown}: name the host; addresses are not allowed, for nobody can tell whose they are.")
    match = _HOST.fullmatch(host)
    if match is None or len(host) > 253:
        raise ValueError(f"{shown}: this is not the name of a host on the internet.")
    name = match["name"]
    if name.rpartition(".")[2] in _INSIDE:
        raise ValueError(f"{shown}: this is a name inside a network, not on the internet.")
    if _suffixes().privatesuffix(name) is None:
        raise ValueError(f"{shown}: this is too wide: strangers can have names below {name}.")
    return f"{host}:{int(port)}"


@cache
def _suffixes() -> PublicSuffixList:
    """Below which names anyone can register one (publicsuffix.org), read when first needed."""
    return PublicSuffixList(accept_unknown=False)
