"""The way out of a run that may reach hosts: a network of its own without a way out, and a proxy that stands in both.

The agent's network is internal and the host has no address in it, so the only thing the agent can reach is the proxy.
Names are resolved by the proxy alone. A run without hosts has none of this and pays nothing for it.
"""

import ipaddress
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import docker
import structlog
from django.conf import settings

from executions.errors import RunnerUnavailableError
from executions.runners.base import Connection, Control, RunSpec, Stop
from executions.runners.docker import confinement, squid
from executions.runners.docker.attachment import Attachment
from executions.runners.docker.confinement import Way
from executions.runners.docker.engine import Engine, EngineCallError, engine_errors
from executions.runners.transcript import STDERR, STDOUT

log = structlog.get_logger(__name__)
READY = b"Accepting HTTP Socket connections"
READY_SECONDS = 20.0
PASSED = b"Rotate log file"
LINE = 16 * 1024
STOP_SECONDS = 3.0
MEMORY = 96 * 1024 * 1024
_RESOLV = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))


class EgressUnavailableError(Exception):
    """This machine cannot give agents a way to their hosts; the message says why."""


class Egress:
    """Opened before the agent's container is made, closed after it has ended: by then every connection is reported.
    `later` runs what nobody needs to wait for.

    Raises EgressUnavailableError, EngineCallError and RunnerUnavailableError when opened.
    """

    def __init__(
        self,
        engine: Engine,
        spec: RunSpec,
        report: Callable[[Connection], None],
        later: Callable[[Callable[[], None]], object],
    ) -> None:
        self._engine = engine
        self._later = later
        self._client = engine.client
        self._spec = spec
        self._report = report
        self._name = f"agentnexus-egress-{spec.execution_id}-{spec.attempt}"
        self._labels = confinement.labels(spec, time.time())
        self._ready = threading.Event()
        self._passed = threading.Event()
        self._reader: threading.Thread | None = None
        self._proxy = self._network = ""
        self._attachment: Attachment | None = None
        self._control = Control()
        self._started = False
        self._said: deque[str] = deque(maxlen=20)

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def way(self) -> Way:
        """For the agent's container."""
        with engine_errors():
            networks = self._client.inspect_container(self._proxy)["NetworkSettings"]["Networks"]
        return Way(self._network, networks[self._name]["IPAddress"])

    def close(self) -> None:
        """Read the rest of what the proxy says, then have everything removed. Raises nothing: the reaper removes what
        is left."""
        if self._started:
            self._settle()
        self._control.stop(Stop.SHUTDOWN)
        if self._reader is not None:
            self._reader.join()
        if self._attachment is not None:
            self._attachment.close()
        self._control.close()
        self._later(self._remove)

    def _settle(self) -> None:
        """The agent is gone and its connections with it. A signal that squid answers on its log has passed all that
        happened before; the second time everything that was pending at the first is written down too."""
        for _ in range(2):
            self._passed.clear()
            if self._reader is None or not self._reader.is_alive():
                return
            self._quietly(lambda: self._client.kill(self._proxy, "SIGUSR1"))
            self._passed.wait(STOP_SECONDS)

    def _remove(self) -> None:
        client = self._engine.client  # of the thread that removes
        if self._proxy:
            self._quietly(lambda: client.remove_container(self._proxy, force=True, v=True))
        if self._network:
            self._quietly(lambda: remove_network(client, self._network))

    def _open(self) -> None:
        with engine_errors():
            self._network = self._client.create_network(
                self._name,
                driver="bridge",
                internal=True,
                # Without an address of its own in it the host cannot be reached through it.
                options={"com.docker.network.bridge.inhibit_ipv4": "true"},
                labels=self._labels,
            )["Id"]
            self._proxy = self._create_proxy()
            self._client.connect_container_to_network(self._proxy, self._network)
            self._attachment = Attachment(self._client, self._proxy, b"")
            self._reader = threading.Thread(target=self._read, args=(self._attachment,), name="egress", daemon=True)
            self._reader.start()
            self._client.start(self._proxy)
        self._ready.wait(READY_SECONDS)
        if not self._started:
            log.warning("egress_proxy_failed", said=list(self._said))
            raise EgressUnavailableError("The proxy for the agent's network did not start.")

    def _create_proxy(self) -> str:
        nameservers = resolvers()
        host = self._client.create_host_config(
            mem_limit=MEMORY,
            memswap_limit=MEMORY,
            nano_cpus=500_000_000,
            pids_limit=32,
            read_only=True,
            tmpfs={"/run": "rw,noexec,nosuid,nodev,size=1m", "/tmp": "rw,noexec,nosuid,nodev,size=4m,mode=1777"},  # noqa: S108
            cap_drop=["ALL"],
            # Until it has closed the ways to private networks and becomes another user.
            cap_add=["NET_ADMIN", "CHOWN", "SETUID", "SETGID", "SETPCAP"],
            security_opt=["no-new-privileges:true"],
            network_mode=settings.EGRESS_NETWORK,
            ipc_mode="private",
            cgroupns="private",
            log_config={"Type": "none"},
        )
        environment = {
            "SQUID_CONF": squid.configuration(self._spec.hosts, nameservers),
            "NAMESERVERS": " ".join(nameservers),
            "UNREACHABLE": " ".join(squid.UNREACHABLE),
        }
        labels = self._labels | {f"{confinement.LABEL}.part": "egress"}
        config = self._client.create_container_config(
            settings.EGRESS_IMAGE, None, environment=environment, labels=labels, hostname="proxy", host_config=host
        )
        try:
            return str(self._client.create_container_from_config(config, name=self._name)["Id"])
        except docker.errors.ImageNotFound as exc:
            raise EgressUnavailableError(
                f"This machine lacks the image {settings.EGRESS_IMAGE}, which agents that reach hosts need: "
                "build deploy/egress."
            ) from exc

    def _read(self, attachment: Attachment) -> None:
        """Until the proxy has ended, or is not listened to any more."""
        said = {STDOUT: b"", STDERR: b""}
        try:
            while not attachment.ended and self._control.reason is None:
                for source, data in attachment.step(self._control, 1.0):
                    *lines, rest = (said[source] + data).split(b"\n")
                    said[source] = rest[-LINE:]
                    self._take(source, lines)
        finally:
            self._ready.set()
            self._passed.set()

    def _take(self, source: str, lines: list[bytes]) -> None:
        for line in lines:
            if source == STDERR:
                if READY in line:
                    self._started = True
                    self._ready.set()
                elif PASSED in line:
                    self._passed.set()
                elif not self._started:
                    self._said.append(line.decode("utf-8", "replace"))
            elif (seen := squid.connection(line.decode("utf-8", "replace"))) is not None:
                self._report(seen)

    def _quietly(self, call: Callable[[], object]) -> None:
        try:
            with engine_errors():
                call()
        except EngineCallError as exc:
            if exc.status not in {404, 409}:
                log.warning("egress_left", execution_id=str(self._spec.execution_id), error=exc.message)
        except RunnerUnavailableError as exc:
            log.warning("egress_left", execution_id=str(self._spec.execution_id), error=exc.message)


def remove_network(client: docker.APIClient, network: str) -> None:
    """Remove a network with whatever is still connected to it. Raises docker.errors.APIError."""
    for container in client.inspect_network(network)["Containers"]:
        client.disconnect_container_from_network(container, network, force=True)
    client.remove_network(network)


def resolvers() -> list[str]:
    """Addresses of the resolvers the proxy asks. Raises EgressUnavailableError when none is known."""
    given: list[str] = settings.EGRESS_NAMESERVERS
    found = given or next((list(filter(None, _nameservers(path))) for path in _RESOLV if path.exists()), [])
    if not found:
        raise EgressUnavailableError("No resolver is known for agents that reach hosts: set EGRESS_NAMESERVERS.")
    return found


def _nameservers(path: Path) -> Iterable[str]:
    """Those of a resolv.conf that a container can reach."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                address = ipaddress.ip_address(words[1])
            except ValueError:
                continue
            if address.version == 4 and not address.is_loopback:
                yield str(address)
