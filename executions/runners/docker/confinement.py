"""The walls around an agent: every limit a container gets. An image can widen none of them."""

import hashlib
import posixpath
from functools import cache
from pathlib import Path
from typing import Any

import docker
from django.conf import settings
from django.db import connection
from docker.types import LogConfig, Ulimit

from executions.limits import DEADLINE_GRACE, Limits
from executions.runners.base import RunSpec

USER = "10001:10001"
MAX_VOLUMES = 8
LABEL = "io.agentnexus"
# Without an event of its own, a container this much older than its deadline is nobody's.
_GRACE = int(DEADLINE_GRACE.total_seconds())


@cache
def seccomp_profile() -> str:
    """The system calls an agent may make, as the JSON text the engine takes."""
    return (Path(__file__).parents[1] / "seccomp.json").read_text()


def instance() -> str:
    """Which installation a container belongs to: engines may be shared, and no one reaps another's containers."""
    configured: str = settings.EXECUTION_INSTANCE
    database = connection.settings_dict
    where = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return configured or hashlib.sha256(where.encode()).hexdigest()[:16]


def labels(spec: RunSpec, now: float) -> dict[str, str]:
    """What the reaper knows a container by. They replace labels of the same name in the image."""
    return {
        f"{LABEL}.instance": instance(),
        f"{LABEL}.execution": str(spec.execution_id),
        f"{LABEL}.attempt": str(spec.attempt),
        f"{LABEL}.deadline": str(int(now) + spec.limits.timeout + _GRACE),
    }


def host_config(client: docker.APIClient, limits: Limits, volumes: list[str]) -> dict[str, Any]:
    """The container's HostConfig. `volumes` are the image's own: each becomes a small scratch space in memory instead
    of a directory on the host's disk without any bound."""
    tmpfs = {path: _tmpfs(limits.scratch // 4, limits.scratch_files) for path in volumes}
    tmpfs["/tmp"] = _tmpfs(limits.scratch, limits.scratch_files)  # noqa: S108  inside the container
    config: dict[str, Any] = client.create_host_config(
        mem_limit=limits.memory,
        memswap_limit=limits.memory,  # the same: no swap
        nano_cpus=limits.nano_cpus,
        pids_limit=limits.processes,
        oom_score_adj=500,
        read_only=True,
        tmpfs=tmpfs,
        shm_size=limits.shared_memory,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true", f"seccomp={seccomp_profile()}"],
        network_mode="none",
        ipc_mode="private",
        cgroupns="private",
        init=True,  # reaps zombies, which would fill the pids limit
        ulimits=[
            Ulimit(name=name, soft=value, hard=value)
            for name, value in (("nofile", limits.open_files), ("fsize", limits.file_size), ("core", 0))
        ],
        # The attached stream is the log. The engine keeps no copy: inputs and results stay off the node's disk, and a
        # flood costs it nothing.
        log_config=LogConfig(type="none", config={}),
    )
    if settings.EXECUTION_RUNTIME:
        config["Runtime"] = settings.EXECUTION_RUNTIME
    return config


def container_config(
    client: docker.APIClient, image: str, spec: RunSpec, volumes: list[str], now: float
) -> dict[str, Any]:
    """The container: the image's command on our terms."""
    config: dict[str, Any] = client.create_container_config(
        image,
        None,
        user=USER,
        hostname="agent",
        stdin_open=True,
        environment={"HOME": "/tmp"},  # noqa: S108  the only place it may write to
        healthcheck={"test": ["NONE"]},
        labels=labels(spec, now),
        stop_signal="SIGKILL",
        host_config=host_config(client, spec.limits, volumes),
    )
    # Without StdinOnce the end of our input never reaches the agent.
    config.update(StdinOnce=True, AttachStdin=True, AttachStdout=True, AttachStderr=True, Tty=False)
    return config


def clean_volume_paths(declared: dict[str, Any] | None) -> list[str]:
    """The image's VOLUME paths as the engine will see them."""
    return sorted({posixpath.normpath(path) for path in declared or {}} - {"/tmp"})  # noqa: S108


def _tmpfs(size: int, files: int) -> str:
    return f"rw,noexec,nosuid,nodev,size={size},nr_inodes={files},mode=1777"
