"""Real worker processes, started on the tests' own database and Redis."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from executions.worker import heartbeat
from tests.executions.conftest import eventually

COMMAND = "celery -A config worker -Q executions -P threads --loglevel WARNING --without-gossip --without-mingle"
ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count()


class WorkerProcess:
    """`celery -A config worker` as the Procfile starts it."""

    def __init__(self, slots: int = 2, /, **environment: str) -> None:
        database = connection.settings_dict
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", *COMMAND.split()),
                *("-c", str(slots), "-n", f"test-{os.getpid()}-{next(_numbers)}@%h"),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
                "DATABASE_URL": f"postgresql://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}",
                "REDIS_URL": settings.REDIS_URL,
                **environment,
            },
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        eventually(lambda: any(beat.worker.endswith(f":{self.process.pid}") for beat in heartbeat.beats()), 30)

    def kill(self) -> None:
        """kill -9, as the kernel would for lack of memory; nothing happens when it is dead."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def terminate(self, seconds: float) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@contextmanager
def worker_process(**environment: str) -> Iterator[WorkerProcess]:
    """A worker that is ready; killed at the end if it still lives."""
    worker = WorkerProcess(**environment)
    try:
        worker.wait_until_ready()
        yield worker
    finally:
        worker.kill()
