"""Pytest plugin: starts PostgreSQL, Valkey and anvil before Django reads its settings, and stops them at the end.

With pytest-xdist every worker gets a Valkey database number of its own, its own anvil, and (from pytest-django) its own
PostgreSQL database. Set DATABASE_URL or REDIS_URL to test against servers of yours.
"""

import os
import tempfile
from pathlib import Path

import pytest

from deploy.local.engines import Anvil, Engine, Postgres, Valkey

_started: list[Engine] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in the test thread
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    folder = Path(tempfile.mkdtemp(prefix="agentnexus-test-"))
    folder.chmod(0o755)
    os.environ["FILES_ROOT"] = str(folder / "files")
    if not worker:
        if "DATABASE_URL" not in os.environ:
            os.environ["DATABASE_URL"] = _start(Postgres(folder, durable=False))
        if "REDIS_URL" not in os.environ:
            os.environ["REDIS_URL"] = _start(Valkey(folder))
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rsplit("/", 1)[0] + f"/{number}"
    os.environ["CHAIN_RPC_URL"] = _start(Anvil(folder))


def pytest_unconfigure(config: pytest.Config) -> None:
    while _started:
        _started.pop().stop()


def _start(engine: Engine) -> str:
    engine.start()
    _started.append(engine)
    return engine.url
