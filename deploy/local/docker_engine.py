"""Makes sure a Docker engine answers: yours, the installed one, or one installed by the system's package manager."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from deploy.local import gvisor
from deploy.local.engines import Engine, EngineError

SOCKET = "unix:///var/run/docker.sock"
API_VERSION = "1.41"  # of Docker 20.10, the oldest we run on
HOW_TO_GET_IT = (
    "Install Docker Engine (https://docs.docker.com/engine/install/), start it, and make sure your user may use its "
    "socket (`sudo usermod -aG docker $USER`, then log in again); or set DOCKER_HOST to an engine you can reach."
)


class DockerEngine(Engine):
    """dockerd as a child of ours, where no init system runs it."""

    name = "docker"
    stop_signal = signal.Signals.SIGTERM

    def __init__(self, data: Path) -> None:
        super().__init__(data)

    @property
    def url(self) -> str:
        return SOCKET

    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        unmount_unfinished_layers(Path("/var/lib/docker"))
        return ["dockerd", "--host", SOCKET, *gvisor.options(self.data)], {}

    def ready(self) -> bool:
        return answers(SOCKET)


def mounted_below(folder: Path) -> list[str]:
    """What is mounted somewhere below the folder."""
    places = (row.split()[4] for row in Path("/proc/self/mountinfo").read_text().splitlines())
    return [place for place in places if place.startswith(f"{folder}/")]


def unmount_unfinished_layers(data_root: Path) -> None:
    """Of an engine that does not run: unmount the layers it was preparing when it was killed, as nobody else does."""
    for place in mounted_below(data_root / "overlay2"):
        if place.endswith("-init/merged"):
            subprocess.run(["umount", place], check=False)


def answers(url: str) -> bool:
    """Whether a Docker engine answers at `url`."""
    try:
        # A pinned version, because asking for the newest would connect before there is anything to close.
        client = docker.APIClient(base_url=url, version=API_VERSION, timeout=5)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except (DockerException, RequestException):
        return False
    finally:
        client.close()


def runtimes(url: str) -> set[str]:
    """The names of the OCI runtimes that the engine at `url` has."""
    with docker.APIClient(base_url=url, version=API_VERSION, timeout=30) as client:
        return set(client.info().get("Runtimes") or ())


def ensure(data: Path) -> tuple[str, DockerEngine | None]:
    """The address of an engine that answers, and the child if we had to start it ourselves.

    Raises EngineError with a sentence on what to do.
    """
    given = os.environ.get("DOCKER_HOST", "")
    if given:
        if not answers(given):
            raise EngineError(f"No Docker engine answers at DOCKER_HOST={given}. Start it, or unset DOCKER_HOST.")
        return given, None
    if answers(SOCKET):
        return SOCKET, None
    if shutil.which("dockerd") is None:
        _install()
    if os.geteuid() != 0:
        raise EngineError(f"No Docker engine answers at {SOCKET}, and only root can start one. {HOW_TO_GET_IT}")
    if Path("/run/systemd/system").exists():
        subprocess.run(["systemctl", "start", "docker"], check=False)
        if _wait(20):
            return SOCKET, None
        raise EngineError("`systemctl start docker` did not bring the engine up; see `journalctl -u docker`.")
    engine = DockerEngine(data)
    engine.start(seconds=30)
    return SOCKET, engine


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise EngineError(f"Docker is not installed. {HOW_TO_GET_IT}")
    print("Installing Docker from the distribution's packages ...", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "docker.io", "iptables"]):
        done = subprocess.run(
            ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EngineError(f"apt-get {arguments[0]} failed: {done.stderr.strip()[-400:]} {HOW_TO_GET_IT}")


def _wait(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answers(SOCKET):
            return True
        time.sleep(0.2)
    return False
