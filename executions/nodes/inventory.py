"""What an engine has: processors, memory, images."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from executions.runners.docker import runtimes
from executions.runners.docker.engine import Engine, engine_errors
from executions.runners.docker.runtimes import Runtime

# What the machine keeps for itself when the settings do not say how much agents may use.
FOR_AGENTS = 0.9


@dataclass(frozen=True, slots=True)
class Inventory:
    """`images` maps the id and each registry digest of an image to its size in bytes; `runtimes` are those that agents
    may be run under here, by name."""

    engine: str
    cpus: int
    memory_bytes: int
    images: dict[str, int]
    runtimes: dict[str, Runtime]


def take(engine: Engine) -> Inventory:
    """Raises RunnerUnavailableError, EngineCallError."""
    offered = {*settings.EXECUTION_RUNTIMES, settings.EXECUTION_RUNTIME}
    with engine_errors():
        info: dict[str, Any] = engine.client.info()
        images: list[dict[str, Any]] = engine.client.images()
    return Inventory(
        engine=f"Docker {info['ServerVersion']}",
        cpus=int(info["NCPU"]),
        memory_bytes=settings.EXECUTION_NODE_MEMORY_BYTES or int(info["MemTotal"] * FOR_AGENTS),
        images=dict(_names(images)),
        runtimes={name: one for name, one in runtimes.found(info).items() if name and name in offered},
    )


def machine_memory() -> int:
    """Bytes that agents may use together where no engine says what there is."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return settings.EXECUTION_NODE_MEMORY_BYTES or int(there * FOR_AGENTS)


def _names(images: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, int]]:
    for image in images:
        size = int(image.get("Size") or 0)
        yield image["Id"], size
        for reference in image.get("RepoDigests") or ():
            digest = reference.rpartition("@")[2]
            if digest.startswith("sha256:"):
                yield digest, size
