"""A node's own account of itself, written by its workers."""

from collections.abc import Iterator

import structlog
from django.conf import settings
from django.db.models.functions import Now

from executions.errors import RunnerUnavailableError
from executions.nodes import inventory
from executions.nodes.models import Node
from executions.nodes.naming import labels, this_node
from executions.runners.docker.engine import Engine, EngineCallError
from marketplace.catalogue.runtimes import GPUS, NETWORK

log = structlog.get_logger(__name__)


class Reporter:
    """Keeps the row of this node true. One per worker process; several on a node write the same."""

    def __init__(self, slots: int, engine: Engine | None = None) -> None:
        self._slots = slots
        self._engine = engine or Engine(settings.DOCKER_HOST)

    def report(self) -> Node:
        """Write down what there is now. Raises django.db.Error."""
        told: dict[str, object] = {"labels": labels(), "slots": self._slots, "last_seen_at": Now()}
        try:
            found = inventory.take(self._engine)
            told |= {
                "engine": found.engine,
                "engine_ok": True,
                "cpus": found.cpus,
                "memory_bytes": found.memory_bytes,
                "images": found.images,
                "labels": sorted({*labels(), *_runtime_labels(found)}),
            }
            usual = settings.EXECUTION_RUNTIME
            if usual and usual not in found.runtimes:
                told |= {
                    "engine_ok": False,
                    "engine": f"{found.engine} does not have the runtime {usual}: register it.",
                }
        except RunnerUnavailableError as exc:
            # WebAssembly agents run all the same.
            told |= {"engine": exc.message, "engine_ok": False, "memory_bytes": inventory.machine_memory()}
        except EngineCallError as exc:
            told |= {"engine": exc.message[:200], "engine_ok": False}
        node, created = Node.objects.update_or_create(name=this_node(), defaults=told)
        if created:
            log.info("node_joined", node=node.name, engine=node.engine)
        return node


def _runtime_labels(found: inventory.Inventory) -> Iterator[str]:
    """The name of each runtime, and what its containers can have besides."""
    for name, runtime in found.runtimes.items():
        yield name
        if runtime.network:
            yield f"{name}{NETWORK}"
        if runtime.gpus:
            yield f"{name}{GPUS}"
