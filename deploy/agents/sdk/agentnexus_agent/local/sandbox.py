"""The container of a run, as options of `docker create`: the walls the platform puts around every agent."""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agentnexus_agent.local.limits import USER, Limits

SECCOMP = Path(__file__).parent / "seccomp.json"
LABEL = "io.agentnexus.local"


@dataclass(frozen=True, slots=True)
class Given:
    """What a run gets beyond its input: folders for its secrets, its files and those it gives, and a `network`, the
    engine's whole one, which the platform gives nobody."""

    secrets: Path | None = None
    inputs: Path | None = None
    outputs: Path | None = None
    network: bool = False

    @property
    def mounts(self) -> list[str]:
        folders = (("/run/secrets", self.secrets), ("/work/in", self.inputs), ("/work/out", self.outputs))
        return [
            f"--mount=type=bind,source={source},target={target}{'' if target == '/work/out' else ',readonly'}"
            for target, source in folders
            if source is not None
        ]


NOTHING = Given()


def create_arguments(
    image: str, name: str, limits: Limits, volumes: Iterable[str] = (), given: Given = NOTHING
) -> list[str]:
    """Arguments of the docker command. `volumes` are the image's own, which become small scratch spaces in memory."""
    options = {
        "name": name,
        "label": f"{LABEL}=1",
        "memory": str(limits.memory),
        "memory-swap": str(limits.memory),  # the same: no swap
        "cpus": f"{limits.nano_cpus / 1_000_000_000:.9f}",
        "pids-limit": str(limits.processes),
        "oom-score-adj": "500",
        "shm-size": str(limits.shared_memory),
        "cap-drop": "ALL",
        "network": "bridge" if given.network else "none",
        "ipc": "private",
        "cgroupns": "private",
        "user": USER,
        "hostname": "agent",
        "env": "HOME=/tmp",
        "stop-signal": "SIGKILL",
        "log-driver": "none",
    }
    arguments = ["create", "--interactive", "--init", "--read-only", "--no-healthcheck"]
    arguments += [f"--{option}={value}" for option, value in options.items()]
    arguments += ["--security-opt=no-new-privileges:true", f"--security-opt=seccomp={SECCOMP}"]
    for limit, value in (("nofile", limits.open_files), ("fsize", limits.file_size), ("core", 0)):
        arguments.append(f"--ulimit={limit}={value}:{value}")
    scratch = {posixpath.normpath(path): limits.scratch // 4 for path in volumes} | {"/tmp": limits.scratch}  # noqa: S108
    for path, size in scratch.items():
        flags = f"rw,noexec,nosuid,nodev,size={size},nr_inodes={limits.scratch_files},mode=1777"
        arguments.append(f"--tmpfs={path}:{flags}")
    return [*arguments, *given.mounts, image]
