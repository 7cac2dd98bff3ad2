"""`make up` and `make demo`: the whole platform on this machine, from nothing, stopped without a trace.

With DATABASE_URL, REDIS_URL, CHAIN_RPC_URL or DOCKER_HOST set, those are used instead of the embedded engines.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

import docker
import requests
from docker.errors import DockerException

from deploy.local import docker_engine
from deploy.local.engines import ROOT, Anvil, Engine, EngineError, Postgres, Valkey, free_port
from deploy.local.supervisor import ProcessError, Supervisor, run

DATA = ROOT / ".data"
LOGS = DATA / "logs"
STARTED = time.monotonic()


class Stopped(Exception):  # noqa: N818  not an error: the person at the terminal asked for it
    """Ctrl-C or a TERM signal."""


def say(text: str) -> None:
    """A line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def main() -> int:
    """Exit code 0 when everything asked for was done; 1 with a sentence when a step failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="perform the main job once and stop")
    demo = parser.parse_args().demo
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        with platform(echo=not demo) as site:
            if demo:
                from deploy.local.demo import perform

                perform(site.url, os.environ["CHAIN_RPC_URL"])
            else:
                say(f"AgentNexus is up at {site.url} — Ctrl-C stops it. Logs are in .data/logs.")
                while True:
                    site.supervisor.check()
                    time.sleep(0.5)
    except Stopped:
        say("Stopped.")
        return 0
    except (EngineError, ProcessError, requests.RequestException) as exc:
        print(f"\nFailed: {exc}", file=sys.stderr, flush=True)
        return 1
    say("Everything is stopped.")
    return 0


class Site:
    """The running platform."""

    def __init__(self, url: str, supervisor: Supervisor) -> None:
        self.url = url
        self.supervisor = supervisor


@contextmanager
def platform(*, echo: bool) -> Iterator[Site]:
    """Start engines, prepare data and contracts, start the processes; stop all of them at the end."""
    DATA.mkdir(exist_ok=True)
    LOGS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_only_one())
        environment = _engines(stack)
        port = free_port(int(os.environ.get("PORT", "8000")))
        url = f"http://localhost:{port}"
        environment |= {"PORT": str(port), "SITE_URL": os.environ.get("SITE_URL", url)}
        os.environ.update(environment)
        env = dict(os.environ)
        stack.callback(_remove_containers, environment["INSTALLATION"], env["DOCKER_HOST"])
        _prepare(env)
        supervisor = Supervisor(LOGS, env, echo=echo)
        supervisor.load(ROOT / "Procfile")
        stack.callback(supervisor.stop)
        supervisor.start()
        _wait_until_ready(url, supervisor)
        yield Site(url, supervisor)


def _engines(stack: ExitStack) -> dict[str, str]:
    """Start the engines for which no address is given; return the environment that names them all."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "config.settings.local"),
        "INSTALLATION": os.environ.get(
            "INSTALLATION", f"checkout-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
        ),
        "PYTHONUNBUFFERED": "1",
    }
    engines: dict[str, Engine] = {}
    if "DATABASE_URL" not in os.environ:
        engines["DATABASE_URL"] = Postgres(DATA)
    if "REDIS_URL" not in os.environ:
        engines["REDIS_URL"] = Valkey(DATA)
    if "CHAIN_RPC_URL" not in os.environ:
        block_time = int(os.environ.get("LOCAL_BLOCK_TIME", "1"))
        engines["CHAIN_RPC_URL"] = Anvil(DATA, 8545, block_time=block_time, state=True)
    for name, engine in engines.items():
        stack.callback(engine.stop)
        engine.start()
        environment[name] = engine.url
    environment["DOCKER_HOST"], child = docker_engine.ensure(DATA)
    if child is not None:
        stack.callback(child.stop)
    say("Engines: " + ", ".join(engine.name for engine in engines.values()) + ", docker")
    return environment


def _prepare(env: dict[str, str]) -> None:
    """Build the agents' images while the database is migrated and the contracts are deployed; then seed the agents."""
    log = LOGS / "prepare.log"
    log.write_bytes(b"")
    python = shutil.which("python", path=env["PATH"]) or sys.executable
    images = DATA / "agents.json"
    with ThreadPoolExecutor(max_workers=1) as pool:
        building = pool.submit(run, f"{python} -m deploy.agents.build --json {images}", env, LOGS / "build.log")
        run(f"{python} manage.py migrate --no-input --verbosity 1", env, log)
        say("Database migrated")
        run(f"{python} manage.py deploy_contracts", env, log)
        say("Contracts deployed")
        building.result()
    say("Agent images built")
    run(f"{python} manage.py seed_agents --file {images}", env, log)
    say("Sample agents published")


def _wait_until_ready(url: str, supervisor: Supervisor, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    last = "no answer yet"
    while time.monotonic() < deadline:
        supervisor.check()
        try:
            report = requests.get(f"{url}/readyz", timeout=3).json()
        except (requests.RequestException, ValueError) as exc:
            last = type(exc).__name__
        else:
            last = ", ".join(f"{check['name']}: {check['detail']}" for check in report["checks"] if not check["ok"])
            if report["status"] == "ok":
                say("Web, workers and listener are ready")
                return
        time.sleep(0.2)
    raise ProcessError(f"The platform was not ready after {seconds:.0f} s ({last}). Logs are in {LOGS}.")


@contextmanager
def _only_one() -> Iterator[None]:
    """Two runs over one data folder would corrupt it."""
    with (DATA / "lock").open("w") as lock:
        _lock(lock)
        yield


def _lock(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise EngineError("AgentNexus is already running from this folder; stop it first (Ctrl-C there).") from exc


def _remove_containers(installation: str, host: str) -> None:
    """Remove the containers of executions that were still running."""
    try:
        client = docker.DockerClient(base_url=host, timeout=20)
        for container in client.containers.list(
            all=True, filters={"label": f"io.agentnexus.installation={installation}"}
        ):
            container.remove(force=True, v=True)
    except DockerException as exc:
        print(f"Containers may be left behind: {exc}", file=sys.stderr)


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    raise SystemExit(main())
