"""What this machine is called, and what it offers beyond a plain engine."""

import socket

from django.conf import settings


def this_node() -> str:
    """The name of the node that this process runs on."""
    configured: str = settings.EXECUTION_NODE
    return configured or socket.gethostname()


def labels() -> list[str]:
    """What executions may ask this node for."""
    return sorted(set(settings.EXECUTION_NODE_LABELS))
