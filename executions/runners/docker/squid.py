"""The allow-list proxy's configuration, and what it says of each connection.

Squid decides by name and port, then by the addresses the name resolves to. The kernel of the proxy's network refuses
private destinations once more (deploy/egress/start.sh), so that a name which resolves to something else between the
check and the connection gains nothing.
"""

import re
import time
from collections.abc import Iterable, Sequence

from executions.runners.base import Connection, Verdict
from executions.runners.docker.addresses import PRIVATE, PRIVATE_V6
from executions.runners.docker.confinement import PROXY_PORT

# What the kernel of the proxy's network refuses; loopback has rules of its own.
UNREACHABLE = tuple(network for network in PRIVATE if not network.startswith("127."))
_HOST = re.compile(r"[A-Za-z0-9._*\[\]:-]{1,255}")
_FIELDS = 7
_REFUSED = ("ERR_ACCESS_DENIED", "ERR_CACHE_ACCESS_DENIED", "ERR_INVALID", "ERR_UNSUP", "ERR_TOO_BIG", "ERR_PROTOCOL")


def configuration(hosts: Iterable[str], nameservers: Sequence[str]) -> str:
    """squid.conf for a run that may reach `hosts` (`name:port`; `*.name` is every name below)."""
    lines = [
        f"http_port {PROXY_PORT}",
        f"dns_nameservers {' '.join(nameservers)}",
        # An answer is kept for at least this long, whatever its time to live says.
        "negative_dns_ttl 1 minute",
        "dns_timeout 10 seconds",
        "connect_timeout 15 seconds",
        "shutdown_lifetime 0 seconds",
        "forwarded_for delete",
        "via off",
        "httpd_suppress_version_string on",
        "visible_hostname proxy",
        "request_header_max_size 32 KB",
        "cache deny all",
        "cache_mem 0 MB",
        "memory_pools off",
        "digest_generation off",
        "pinger_enable off",
        "pid_filename none",
        "coredump_dir /tmp",
        "max_filedescriptors 512",
        "logfile_rotate 0",
        "cache_log /dev/stderr",
        "cache_store_log none",
        "strip_query_terms on",
        r"logformat record %ts.%03tu %#>rd %>rP %>st %<st %err_code %>Hs",
        "access_log stdio:/dev/stdout logformat=record buffer-size=0KB",
        f"acl private dst {' '.join((*PRIVATE, *PRIVATE_V6))}",
        "http_access deny manager",
    ]
    for index, host in enumerate(hosts):
        name, _, port = host.rpartition(":")
        lines += [
            f"acl name{index} dstdomain -n {name.removeprefix('*')}",
            f"acl port{index} port {port}",
            f"http_access allow name{index} port{index} !private",
        ]
    lines.append("http_access deny all")
    return "\n".join(lines)


def connection(line: str) -> Connection | None:
    """What a line of the access log says; None for anything else. Bytes include the headers of requests."""
    parts = line.split(" ")
    if len(parts) != _FIELDS:
        return None
    at, host, port, sent, received, error, status = parts
    try:
        return Connection(
            at=float(at) or time.time(),
            host=host.lower() if _HOST.fullmatch(host) else "?",
            port=int(port) if re.fullmatch("[0-9]{1,5}", port) else 0,
            sent=int(sent),
            received=int(received),
            verdict=_verdict(error, status),
        )
    except ValueError:
        return None


def _verdict(error: str, status: str) -> Verdict:
    if error.startswith(_REFUSED) or (error == "-" and status == "403"):
        return Verdict.REFUSED
    return Verdict.ALLOWED if error == "-" else Verdict.FAILED
