"""The walls around an agent: every limit a container gets. An image can widen none of them."""

import hashlib
import posixpath
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import docker
from django.conf import settings
from django.db import connection
from docker.types import DeviceRequest, LogConfig, Mount, Ulimit

from executions.limits import DEADLINE_GRACE
from executions.runners.base import RunSpec
from executions.runners.docker.runtimes import USUAL, Runtime

USER = "10001:10001"
MAX_VOLUMES = 8
PROXY_PORT = 3128
# Where an agent finds its secrets, a file for each.
SECRETS = "/run/secrets"
# Where it finds its files, and where it may leave some.
FILES_IN, FILES_OUT = "/work/in", "/work/out"
LABEL = "io.agentnexus"
# What the platform knows its containers by, each after LABEL and a dot. An image's own labels are its containers', too.
OWN_LABELS = ("instance", "execution", "attempt", "deadline", "hot", "part")
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


@dataclass(frozen=True, slots=True)
class Way:
    """A way out: the engine's network to join, and the address of the proxy in it."""

    network: str
    address: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that HTTP libraries look for; Node.js looks at them when told so."""
        proxy = f"http://{self.address}:{PROXY_PORT}"
        own = dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1") | {"NODE_USE_ENV_PROXY": "1"}
        return dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy) | own


@dataclass(frozen=True, slots=True)
class Provisions:
    """What a run gets beyond its input: a runtime, a way to its hosts, and folders on the host for its secrets, its
    files, and those it gives."""

    runtime: Runtime = USUAL
    way: Way | None = None
    secrets: str | None = None
    inputs: str | None = None
    outputs: str | None = None

    @property
    def mounts(self) -> list[Mount]:
        """The folders as the engine takes them."""
        folders = ((SECRETS, self.secrets, True), (FILES_IN, self.inputs, True), (FILES_OUT, self.outputs, False))
        return [Mount(target, source, type="bind", read_only=only) for target, source, only in folders if source]


NOTHING = Provisions()


def host_config(client: docker.APIClient, spec: RunSpec, volumes: list[str], given: Provisions) -> dict[str, Any]:
    """The container's HostConfig. `volumes` are the image's own: each becomes a small scratch space in memory instead
    of a directory on the host's disk without any bound."""
    limits, way, mounts = spec.limits, given.way, given.mounts
    taken = {mount["Target"] for mount in mounts}
    tmpfs = {path: _tmpfs(limits.scratch // 4, limits.scratch_files) for path in volumes if path not in taken}
    tmpfs["/tmp"] = _tmpfs(limits.scratch, limits.scratch_files)  # noqa: S108  inside the container
    config: dict[str, Any] = client.create_host_config(
        mem_limit=limits.memory,
        memswap_limit=limits.memory,  # the same: no swap
        nano_cpus=limits.nano_cpus,
        pids_limit=given.runtime.tasks(limits.processes),
        oom_score_adj=500,
        read_only=True,
        tmpfs=tmpfs,
        shm_size=limits.shared_memory,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true", f"seccomp={seccomp_profile()}"],
        network_mode=way.network if way else "none",
        # Nothing answers there: names are the proxy's business, and asking for one soon fails.
        dns=[way.address] if way else None,
        dns_opt=["timeout:1", "attempts:1"] if way else None,
        ipc_mode="private",
        cgroupns="private",
        init=True,  # reaps zombies, which would fill the pids limit
        ulimits=[
            Ulimit(name=name, soft=value, hard=value)
            for name, value in (("nofile", limits.open_files), ("fsize", limits.file_size), ("core", 0))
        ],
        log_config=_log_config(spec),
        mounts=mounts,
    )
    if given.runtime.name:
        config["Runtime"] = given.runtime.name
    if spec.gpus:
        config["DeviceRequests"] = [DeviceRequest(count=spec.gpus, capabilities=[["gpu"]])]
    return config


def _log_config(spec: RunSpec) -> LogConfig:
    """The attached stream is the log. The engine's copy is for the worker that takes over when ours dies; it goes with
    the container, and is larger than what a run may write. Of an agent with secrets there is none: nothing is blacked
    out in it, and it lies on the node's disk."""
    if spec.secrets:
        return LogConfig(type="none", config={})
    return LogConfig(type="json-file", config={"max-size": str(2 * spec.limits.written), "max-file": "1"})


def container_config(
    client: docker.APIClient,
    image: str,
    spec: RunSpec,
    volumes: list[str],
    now: float,
    given: Provisions = NOTHING,
) -> dict[str, Any]:
    """The container: the image's command on our terms."""
    config: dict[str, Any] = client.create_container_config(
        image,
        None,
        user=USER,
        hostname="agent",
        stdin_open=True,
        environment={"HOME": "/tmp"} | (given.way.environment if given.way else {}),  # noqa: S108  the only place it may write to
        healthcheck={"test": ["NONE"]},
        labels=labels(spec, now),
        stop_signal="SIGKILL",
        host_config=host_config(client, spec, volumes, given),
    )
    # Without StdinOnce the end of our input never reaches the agent.
    config.update(StdinOnce=True, AttachStdin=True, AttachStdout=True, AttachStderr=True, Tty=False)
    return config


def clean_volume_paths(declared: dict[str, Any] | None) -> list[str]:
    """The image's VOLUME paths as the engine will see them."""
    return sorted({posixpath.normpath(path) for path in declared or {}} - {"/tmp"})  # noqa: S108


def _tmpfs(size: int, files: int) -> str:
    return f"rw,noexec,nosuid,nodev,size={size},nr_inodes={files},mode=1777"
