"""Engines that run agents."""

from functools import cache
from pathlib import Path

from django.conf import settings

from executions.runners.base import Runner
from executions.runners.docker import DockerRunner
from executions.runners.wasm import WasmRunner
from marketplace.catalogue.modules.storing import read_module
from marketplace.models import AgentVersion


@cache
def default_runner() -> DockerRunner:
    """The engine of this worker, as the settings name it."""
    return DockerRunner(settings.DOCKER_HOST, settings.EXECUTION_HOT_MEMORY_BYTES)


@cache
def wasm_runner() -> WasmRunner:
    """What runs WebAssembly on this worker."""
    return WasmRunner(
        Path(settings.EXECUTION_WASM_CACHE),
        read_module,
        fuel=settings.EXECUTION_WASM_FUEL,
        ready=settings.EXECUTION_WASM_READY,
    )


def runner_for(kind: str) -> Runner:
    """What runs a version of that kind."""
    return wasm_runner() if kind == AgentVersion.Kind.WASM else default_runner()
