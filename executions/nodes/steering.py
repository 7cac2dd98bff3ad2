"""Taking nodes out of service and back."""

import structlog

from executions import notify
from executions.nodes.models import Node

log = structlog.get_logger(__name__)
State = Node.State


def cordon(name: str, reason: str = "") -> None:
    """The node takes nothing new; what runs goes on."""
    _put(name, State.CORDONED, reason)


def drain(name: str, reason: str = "") -> None:
    """The node takes nothing new, and what does not end within EXECUTION_SHUTDOWN_SECONDS is run anew elsewhere."""
    _put(name, State.DRAINING, reason)


def uncordon(name: str) -> None:
    """The node is in service again."""
    _put(name, State.READY, "")


def _put(name: str, state: Node.State, reason: str) -> None:
    if Node.objects.filter(pk=name).update(state=state, state_reason=reason[:200]):
        log.info("node_state_changed", node=name, state=state.value, reason=reason)
        notify.workers()
