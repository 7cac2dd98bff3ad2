"""A Docker engine of the tests' own beside the machine's: to be a second node, and to be killed."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
from django.conf import settings

from deploy.local import gvisor
from deploy.local.docker_engine import API_VERSION, answers, mounted_below, unmount_unfinished_layers
from deploy.local.engines import Engine
from executions.errors import RunnerUnavailableError
from executions.runners.docker.engine import Engine as DockerEndpoint


class OwnDocker(Engine):
    """dockerd with a socket, data, a containerd and a network namespace of its own. Agents need no network, and an
    engine without a bridge removes its namespace's docker0, which would be the machine's."""

    name = "docker"

    @property
    def url(self) -> str:
        return f"unix://{self.data}/docker.sock"

    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        folder = self.data
        # Of one that was killed: where nobody reaps its containerd, the new engine would wait for the dead one.
        for stale in ("docker.pid", "exec/containerd/containerd.pid"):
            (folder / stale).unlink(missing_ok=True)
        unmount_unfinished_layers(folder / "data")
        options = f"--data-root {folder}/data --exec-root {folder}/exec --pidfile {folder}/docker.pid"
        return [
            "unshare",
            "--net",
            "dockerd",
            "--host",
            self.url,
            *options.split(),
            *["--bridge", "none", "--iptables=false"],
            *gvisor.options(folder),
        ], {}

    def ready(self) -> bool:
        with suppress(RunnerUnavailableError):
            DockerEndpoint(self.url).probe()  # the SDK leaves a socket open when it cannot connect
            return answers(self.url)
        return False

    def client(self) -> docker.APIClient:
        return docker.APIClient(self.url, version=API_VERSION, timeout=60)

    def load(self, reference: str) -> None:
        """Bring an image over from the machine's engine. `reference` is repository@id."""
        repository, _, image = reference.partition("@")
        with docker.APIClient(settings.DOCKER_HOST, version=API_VERSION, timeout=60) as origin, self.client() as client:
            client.load_image(b"".join(origin.get_image(image)))
            client.tag(image, repository)

    def kill(self) -> None:
        """kill -9 of the engine and its containerd; the containers go on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._end_containerd(signal.SIGKILL)

    def mounts(self) -> list[str]:
        """What is mounted below its folders."""
        return mounted_below(self.data)

    def shims(self) -> list[int]:
        """The processes, one a container, that outlive the engine."""
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"-address\0{self.data}/" in (each / "cmdline").read_text():
                    found.append(int(each.name))
        return found

    def close(self) -> None:
        """Stop it with all its containers, whatever state it is in."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        with self.client() as client:
            for container in client.containers(all=True):
                with suppress(docker.errors.APIError):
                    client.remove_container(container["Id"], force=True, v=True)
        self.stop()
        self._end_containerd(signal.SIGTERM)

    def _end_containerd(self, how: signal.Signals) -> None:
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int((self.data / "exec" / "containerd" / "containerd.pid").read_text()), how)


@contextmanager
def own_docker(*images: str) -> Iterator[OwnDocker]:
    """An engine that has these images."""
    # Short, for a socket's path has about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="anx-docker-"))
    engine = OwnDocker(folder)
    engine.start()
    try:
        for image in images:
            engine.load(image)
        yield engine
    finally:
        engine.close()
        for mount in reversed(engine.mounts()):
            subprocess.run(["umount", "--lazy", mount], check=False)
        for process in engine.shims():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
