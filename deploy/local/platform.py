"""The whole platform on this machine as a context manager: engines, data, contracts, agents, processes.

What the given environment names (DATABASE_URL, REDIS_URL, CHAIN_RPC_URL, DOCKER_HOST) is used; the rest is started.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import requests
from docker.errors import DockerException

from deploy.local import docker_engine, gvisor, staff
from deploy.local.engines import ROOT, Alto, Anvil, Engine, EngineError, Postgres, Valkey, free_port
from deploy.local.supervisor import ProcessError, Supervisor, run

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Site:
    """A running platform: where it answers, the environment of its processes, and its data folder."""

    url: str
    env: dict[str, str]
    data: Path
    supervisor: Supervisor
    has_docker: bool

    @property
    def built_agents(self) -> Path:
        """What the image builder wrote: slug, image and manifest of each sample agent."""
        return self.data / "agents.json"


@contextmanager
def platform(
    data: Path,
    environ: Mapping[str, str],
    say: Say,
    *,
    port: int = 0,
    rpc_port: int = 0,
    echo: bool = False,
    need_docker: bool = True,
) -> Iterator[Site]:
    """Start everything, yield it once it is ready, stop all of it at the end.

    Without `need_docker` the site also starts where no Docker engine can be had: WebAssembly agents run, containers
    wait for an engine.

    `data` holds databases and logs and survives; `echo` copies the processes' output to the terminal. Raises
    EngineError or ProcessError with a sentence on what failed and what to do.
    """
    data.mkdir(exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_only_one(data))
        anvil = None if "CHAIN_RPC_URL" in environ else Anvil(data, rpc_port, state=True)
        env = dict(environ) | _engines(data, environ, anvil, say, stack)
        env["DOCKER_HOST"], has_docker = _docker(data, environ, say, stack, need_docker)
        if (
            has_docker
            and "EXECUTION_RUNTIMES" not in environ
            and gvisor.NAME in docker_engine.runtimes(env["DOCKER_HOST"])
        ):
            env["EXECUTION_RUNTIMES"] = gvisor.NAME
        port = free_port(port)
        url = f"http://localhost:{port}"
        env |= {"PORT": str(port), "SITE_URL": environ.get("SITE_URL", url)}
        bundler = None
        if anvil is not None and "BUNDLER_URLS" not in environ:
            bundler = Alto(data, anvil.url)
            env["BUNDLER_URLS"] = bundler.url
            stack.callback(bundler.stop)
        stack.callback(_remove_containers, env["EXECUTION_INSTANCE"], env["DOCKER_HOST"])
        supervisor = Supervisor(data / "logs", env, echo=echo)
        site = Site(url, env, data, supervisor, has_docker)
        _prepare(site, say, bundler)
        if anvil is not None:
            anvil.mine_every(int(environ.get("LOCAL_BLOCK_TIME", "1")))
        supervisor.load(ROOT / "Procfile")
        stack.callback(supervisor.stop)
        supervisor.start()
        _wait_until_ready(site, say)
        yield site


def _engines(data: Path, environ: Mapping[str, str], anvil: Anvil | None, say: Say, stack: ExitStack) -> dict[str, str]:
    """Start the engines for which no address is given; return what the processes' environment needs beside."""
    added = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}",
        "DJANGO_SETTINGS_MODULE": environ.get("DJANGO_SETTINGS_MODULE", "config.settings.local"),
        "EXECUTION_INSTANCE": environ.get("EXECUTION_INSTANCE", hashlib.sha256(str(data).encode()).hexdigest()[:16]),
        "EXECUTION_SHUTDOWN_SECONDS": environ.get("EXECUTION_SHUTDOWN_SECONDS", "3"),
        "BEAT_SCHEDULE": environ.get("BEAT_SCHEDULE", str(data / "beat")),
        "EMAIL_FILE_PATH": environ.get("EMAIL_FILE_PATH", str(data / "mail")),
        "PYTHONUNBUFFERED": "1",
    }
    engines: dict[str, Engine] = {}
    if "DATABASE_URL" not in environ:
        engines["DATABASE_URL"] = Postgres(data)
    if "REDIS_URL" not in environ:
        engines["REDIS_URL"] = Valkey(data)
    if anvil is not None:
        engines["CHAIN_RPC_URL"] = anvil
    for name, engine in engines.items():
        stack.callback(engine.stop)
        engine.start()
        added[name] = engine.url
    if engines:
        say("Engines answer: " + ", ".join(f"{engine.name} on port {engine.port}" for engine in engines.values()))
    return added


def _docker(data: Path, environ: Mapping[str, str], say: Say, stack: ExitStack, needed: bool) -> tuple[str, bool]:
    """The Docker engine's address, and whether it answers."""
    try:
        host, child = docker_engine.ensure(data)
    except EngineError as exc:
        if needed:
            raise
        say(f"No Docker engine: only WebAssembly agents run, containers wait until there is one. {exc}")
        return environ.get("DOCKER_HOST") or docker_engine.SOCKET, False
    if child is not None:
        stack.callback(child.stop)
    return host, True


def _prepare(site: Site, say: Say, bundler: Engine | None) -> None:
    """Build the agents' images while the database is migrated and the contracts are deployed; then seed the agents.

    The bundler needs the EntryPoint to be there, and is quicker to start while the chain mines at once.
    """
    log = site.supervisor.logs / "prepare.log"
    log.write_bytes(b"")
    python = shutil.which("python", path=site.env["PATH"]) or sys.executable
    build = f"{python} -m deploy.agents.build --json {site.built_agents}"
    if not site.has_docker:
        build += " --only-modules"
    with ThreadPoolExecutor(max_workers=1) as pool:
        building = pool.submit(run, build, site.env, site.supervisor.logs / "build.log")
        proxy = pool.submit(_build_proxy, python, site) if site.has_docker else None
        run(f"{python} manage.py migrate --no-input --verbosity 1", site.env, log)
        say("Database migrated")
        run(f"{python} manage.py deploy_contracts", site.env, log)
        say("Contracts deployed")
        run(f"{python} manage.py local_staff {site.data / staff.FILE}", site.env, log)
        if bundler is not None:
            bundler.start()
            say(f"The bundler answers on port {bundler.port}")
        building.result()
        if proxy is not None and (trouble := proxy.result()):
            say(f"Agents that reach hosts cannot run: {trouble}")
    say("Agent images built" if site.has_docker else "WebAssembly agents are at hand")
    run(f"{python} manage.py seed_agents --file {site.built_agents}", site.env, log)
    say("Sample agents published")


def _build_proxy(python: str, site: Site) -> str:
    """The image of the proxy for agents that reach hosts; what went wrong, for most agents do without."""
    try:
        run(f"{python} -m deploy.egress.build", site.env, site.supervisor.logs / "build.log")
    except ProcessError as exc:
        return str(exc)
    return ""


def _wait_until_ready(site: Site, say: Say, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    last = "no answer yet"
    while time.monotonic() < deadline:
        site.supervisor.check()
        try:
            report = requests.get(f"{site.url}/readyz", timeout=3).json()
        except (requests.RequestException, ValueError) as exc:
            last = type(exc).__name__
        else:
            troubles = [check for check in report["checks"] if not check["ok"]]
            last = ", ".join(f"{check['name']}: {check['detail']}" for check in troubles)
            if not troubles or (not site.has_docker and [check["name"] for check in troubles] == ["docker"]):
                say("Web, workers and listener are ready")
                return
        time.sleep(0.2)
    raise ProcessError(f"The platform was not ready after {seconds:.0f} s ({last}). Logs: {site.supervisor.logs}.")


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Two runs over one data folder would corrupt it."""
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise EngineError("AgentNexus is already running from this folder; stop it first (Ctrl-C there).") from exc
        yield


def _remove_containers(instance: str, host: str) -> None:
    """Remove the containers of executions that were still running."""
    label = f"io.agentnexus.instance={instance}"
    if not docker_engine.answers(host):
        return
    try:
        client = docker.DockerClient(base_url=host, timeout=20)
        try:
            for container in client.containers.list(all=True, filters={"label": label}):
                container.remove(force=True, v=True)
        finally:
            client.close()
    except DockerException as exc:
        print(f"Containers may be left behind: {exc}", file=sys.stderr)
