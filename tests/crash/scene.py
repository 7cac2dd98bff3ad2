"""A PostgreSQL, a Redis, a Docker engine and two workers of our own, and what may happen to them."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.local.engines import Postgres, Valkey
from tests.crash.agents import contents_left, handed_over

LEASE = 3  # seconds
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings.test",
    "EXECUTION_LEASE_SECONDS": str(LEASE),
    "EXECUTION_RESTART_GRACE_SECONDS": str(LEASE),
    "EXECUTION_CONCURRENT_PER_USER": "0",
    "EXECUTION_NODE": "crash",
    "EXECUTION_WASM_READY": "0",
}


class Scene:
    """The parts. Created by `scene()`."""

    def __init__(self, postgres: Postgres, valkey: Valkey, docker: Any, image: str, files: Path) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.docker = docker
        self.image = image
        self.files = files
        self.workers: list[Any] = []
        self._over = threading.Event()
        self._most: dict[UUID, int] = {}
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._sweep, self._watch_engine)]

    def start(self) -> None:
        for _ in range(2):
            self.workers.append(self._worker())
        self.wait_for_workers()
        for thread in self._threads:
            thread.start()

    def wait_for_workers(self) -> None:
        """Until each of them is at work."""
        for worker in self.workers:
            worker.wait_until_ready()

    def close(self) -> None:
        self._over.set()
        for worker in self.workers:
            worker.kill()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def kill_worker(self, name: str) -> None:
        """kill -9 of the worker of that name (any, when it is nobody's), and a new one in its place."""
        chosen = next((one for one in self.workers if name.endswith(f":{one.process.pid}")), self.workers[0])
        chosen.kill()
        self.workers.remove(chosen)
        self.workers.append(self._worker())

    def restart_docker(self) -> None:
        self.docker.kill()
        self.docker.start()

    def restart_redis(self) -> None:
        """With everything in it gone."""
        import redis

        with suppress(redis.RedisError), redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()
        self.valkey.stop()
        self.valkey.start()

    def restart_postgres(self, after: float = 0) -> None:
        """`after` that many seconds without it."""
        self.postgres.stop()
        time.sleep(after)
        self.postgres.start()

    def containers(self, execution_id: UUID | None = None) -> list[dict[str, Any]]:
        """The containers of one execution, or of all."""
        label = "io.agentnexus.execution" + (f"={execution_id}" if execution_id else "")
        with self.docker.client() as client:
            found: list[dict[str, Any]] = client.containers(all=True, filters={"label": [label]})
        return found

    def left(self) -> dict[str, list[str]]:
        """What is on the engine, and of files on the machine, by name."""
        with self.docker.client() as client:
            networks = [one for one in client.networks() if one["Name"] not in {"none", "host", "bridge"}]
            volumes = client.volumes()["Volumes"] or []
            containers = client.containers(all=True)
        mounts = [one for one in self.docker.mounts() if "/overlay2/" in one or "/containers/" in one]
        return {
            "containers": [one["Id"] for one in containers],
            "networks": [one["Name"] for one in networks],
            "volumes": [one["Name"] for one in volumes],
            "mounts": mounts,
            "processes": [] if containers else [str(one) for one in self.docker.shims()],
            "folders": handed_over(),
            "files": contents_left(self.files),
        }

    def most_at_once(self, execution_id: UUID) -> int:
        """How many containers of the execution were seen running at the same time."""
        return self._most.get(execution_id, 0)

    def _worker(self) -> Any:
        from tests.executions.worker_process import WorkerProcess

        return WorkerProcess(DOCKER_HOST=self.docker.url, **ENVIRONMENT)

    def _sweep(self) -> None:
        import redis
        from django.db import Error, connection

        from executions import dispatch

        while not self._over.wait(0.5):
            try:
                dispatch.sweep()
            except (Error, redis.RedisError):
                connection.close()
        connection.close()

    def _watch_engine(self) -> None:
        from collections import Counter

        import docker
        import requests

        while not self._over.wait(0.1):
            with suppress(docker.errors.DockerException, requests.RequestException, OSError):
                running = [one for one in self.containers() if one["State"] == "running"]
                for label, count in Counter(one["Labels"]["io.agentnexus.execution"] for one in running).items():
                    key = UUID(label)
                    self._most[key] = max(count, self._most.get(key, 0))


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Everything started, and stopped at the end."""
    with ExitStack() as stack:
        postgres, valkey = Postgres(folder), Valkey(folder)
        for engine in (postgres, valkey):
            engine.start()
            stack.callback(engine.stop)
        os.environ.update(ENVIRONMENT)
        os.environ["FILES_ROOT"] = str(folder / "files")
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = postgres.url, valkey.url
        import django

        django.setup()
        import docker
        from django.conf import settings
        from django.core.management import call_command

        from tests.executions.images import BOOTSTRAP, built, ensure_base
        from tests.executions.own_engine import own_docker

        call_command("migrate", verbosity=0)
        client = stack.enter_context(docker.APIClient(settings.DOCKER_HOST, version="auto"))
        dockerfile = f'FROM {ensure_base()}\nCMD ["/bin/sh", "-c", {_json(BOOTSTRAP)}]'
        image = stack.enter_context(built(client, "agentnexus-test/crash", dockerfile))
        own = stack.enter_context(own_docker(image))
        there = Scene(postgres, valkey, own, image, folder / "files")
        stack.callback(there.close)
        there.start()
        yield there


def _json(text: str) -> str:
    import json

    return json.dumps(text)


def stop_in_order() -> None:
    """Asked to stop (SIGINT, SIGTERM), leave by way of all the clean-ups, which a second signal does not cut short."""

    def stop(number: int, _: object) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: None)  # not SIG_IGN, which what we still start would inherit
        raise SystemExit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
