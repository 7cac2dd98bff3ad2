"""What keeps a run waiting beyond its turn: that no machine in service can run it."""

from executions.models import Execution, Node
from marketplace.catalogue.runtimes import in_words
from marketplace.models import AgentVersion

MIB = 1024 * 1024


def obstacle(execution: Execution) -> str:
    """A sentence on what has to come before it can run at all; "" when it waits for its turn only, or waits no more."""
    if execution.status != Execution.Status.QUEUED:
        return ""
    nodes = list(Node.objects.alive().filter(state=Node.State.READY))
    if not nodes:
        return ""  # workers may be starting; the health page tells of it
    if execution.version.kind != AgentVersion.Kind.WASM:
        nodes = [node for node in nodes if node.engine_ok]
        if not nodes:
            return "It waits for a machine with a container engine: none is in service now."
    needs = set(execution.needs)
    fitting = [node for node in nodes if needs <= set(node.labels)]
    if not fitting:
        return f"It waits for a machine with {in_words(needs)}: none is in service now. You may cancel it."
    most = max(node.memory_bytes for node in fitting)
    if execution.memory_bytes > most:
        return (
            f"It needs {execution.memory_bytes // MIB:,} MiB of memory, and no machine in service that could run it "
            f"has more than {most // MIB:,}. You may cancel it."
        )
    return ""
