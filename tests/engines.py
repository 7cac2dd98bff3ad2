"""Pytest plugin: starts PostgreSQL, Valkey and anvil before Django reads its settings, and stops them at the end.

With pytest-xdist every worker gets a Valkey database number of its own, its own anvil, and (from pytest-django) its own
PostgreSQL database. Set DATABASE_URL or REDIS_URL to test against servers of yours.

All that a run writes, and what its children write to the temporary folder, is in one folder. It goes at the end of a
run in which all was well; after another it stays, to be looked at.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from deploy.local.engines import Anvil, Engine, Postgres, Valkey

FOLDER = pytest.StashKey[Path]()
_started: list[Engine] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop runs in the test thread
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    folder = Path(tempfile.mkdtemp(prefix=f"{worker}-" if worker else "agentnexus-test-"))
    folder.chmod(0o755)
    os.environ["FILES_ROOT"] = str(folder / "files")
    if not worker:
        early_config.stash[FOLDER] = folder
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        if "DATABASE_URL" not in os.environ:
            os.environ["DATABASE_URL"] = _start(Postgres(folder, durable=False))
        if "REDIS_URL" not in os.environ:
            os.environ["REDIS_URL"] = _start(Valkey(folder))
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rsplit("/", 1)[0] + f"/{number}"
    os.environ["CHAIN_RPC_URL"] = _start(Anvil(folder))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    folder = session.config.stash.get(FOLDER, None)
    if folder and exitstatus in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERNAL_ERROR}:
        session.config.get_terminal_writer().line(f"\nWhat this run wrote is kept in {folder}")
        del session.config.stash[FOLDER]


def pytest_unconfigure(config: pytest.Config) -> None:
    while _started:
        _started.pop().stop()
    if FOLDER in config.stash:
        shutil.rmtree(config.stash[FOLDER])


def _start(engine: Engine) -> str:
    engine.start()
    _started.append(engine)
    return engine.url
