"""Secrets reach the agent and nothing else; images come from a private registry with the creator's password."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from uuid_utils.compat import uuid7

from deploy.local.engines import free_port
from executions import documents, logs
from executions.models import Execution
from executions.runners.base import Control, Ending, RegistryLogin, RunSpec
from executions.runners.docker import DockerRunner, handover
from marketplace.vault import operations
from tests.executions.conftest import RunNow
from tests.executions.images import python, script
from tests.executions.runners.recording import LIMITS, Recorder
from tests.factories.executions import ExecutionFactory, version_of

pytestmark = pytest.mark.docker
VALUE = "sk-live-0123456789-never-shown"


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Labels name the installation by its database."""


def run_with(runner: DockerRunner, image: str, document: Any, sink: Recorder, **more: Any) -> Any:
    spec = RunSpec(uuid7(), 1, image, documents.dump(document), LIMITS, **more)
    control = Control()
    try:
        return runner.run(spec, sink, control)
    finally:
        control.close()


def test_files_in_memory_that_only_the_agent_sees(
    runner: DockerRunner, scripted: str, engine: docker.APIClient
) -> None:
    seen: list[str] = []

    class Looking(Recorder):
        def started(self, handle: str) -> bool:
            seen.append(str(engine.inspect_container(handle)))
            seen.extend(str(found) for found in handover.left_behind())
            return super().started(handle)

    text = """
import json, os
path = "/run/secrets/API_KEY"
value = open(path).read()
def attempt(action):
    try: action(); return "ok"
    except OSError as e: return type(e).__name__
print(value); print("half " + value[:10], end="", flush=True); print(value[10:])
print(json.dumps([value == "".join(["sk-live-", "0123456789-never-shown"]), oct(os.stat(path).st_mode & 0o777),
  attempt(lambda: open(path, "a")), attempt(lambda: open("/run/secrets/x", "w")), value,
  sorted(os.listdir("/run/secrets")), [k for k, v in os.environ.items() if value in v]]))
"""
    sink = Looking()
    outcome = run_with(runner, scripted, python(text), sink, secrets={"API_KEY": VALUE, "OTHER": "other-value-123"})
    assert outcome.ending == Ending.EXITED, (outcome, sink)
    assert documents.parse(outcome.output) == [
        *(True, "0o400", "PermissionError", "OSError", "[API_KEY]"),
        ["API_KEY", "OTHER"],
        [],
    ]
    assert sink.stdout == ["[API_KEY]", "half [API_KEY]"]
    assert VALUE not in seen[0]
    assert len(seen) == 2
    assert handover.left_behind() == []


def test_a_killed_worker_leaves_them_to_the_reaper(runner: DockerRunner) -> None:
    spec = RunSpec(uuid7(), 2, "x", b"", LIMITS, secrets={"KEY": VALUE})
    folder = handover.Handover(spec, "unix:///x").__enter__().secrets
    assert folder is not None
    (found,) = [one for one in runner.containers() if one.handle.startswith(handover.HANDLE)]
    assert (found.execution_id, found.attempt, len(found.handle) <= 64) == (spec.execution_id, 2, True)
    runner.remove(found.handle)
    assert not Path(folder).exists()


def test_an_engine_elsewhere_cannot_give_them() -> None:
    spec = RunSpec(uuid7(), 1, "x", b"", LIMITS, secrets={"KEY": VALUE})
    with pytest.raises(handover.HandoverError), handover.Handover(spec, "tcp://node:2376"):
        pass


@pytest.mark.django_db(transaction=True)
def test_from_the_creator_to_the_run(scripted: str, run_now: RunNow) -> None:
    version = version_of(scripted)
    operations.set_secret(version.agent, version.agent.creator, "API_KEY", VALUE)
    document = script("cat /run/secrets/API_KEY >&2; echo >&2; echo '{\"a\": 1}'")
    execution = run_now(ExecutionFactory.create(version=version, input=document))
    assert execution.status == Execution.Status.SUCCEEDED, execution.error
    assert [line.text for line in logs.read(execution.pk).lines] == ["[API_KEY]"]


@pytest.fixture
def private_registry(tmp_path: Path) -> Iterator[str]:
    """A real registry that asks for a password."""
    port = free_port()
    entry = subprocess.run(["htpasswd", "-Bbn", "me", "right-password"], capture_output=True, text=True, check=True)
    (tmp_path / "htpasswd").write_text(entry.stdout.strip() + "\n")
    (tmp_path / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/data}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\nauth: {{htpasswd: {{realm: agents, path: {tmp_path}/htpasswd}}}}\n"
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(tmp_path / "config.yml")], stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 20
        while True:
            with suppress(requests.ConnectionError):
                if requests.get(f"http://127.0.0.1:{port}/v2/", timeout=5).status_code == 401:
                    break
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


def test_pull_from_a_private_registry(
    runner: DockerRunner, scripted: str, engine: docker.APIClient, private_registry: str
) -> None:
    repository = f"{private_registry}/me/agent"
    engine.tag(scripted.partition("@")[2], repository, "1")
    login = {"username": "me", "password": "right-password"}
    pushed = list(engine.push(repository, tag="1", stream=True, decode=True, auth_config=login))
    digest = next(item["aux"]["Digest"] for item in pushed if "aux" in item)
    engine.remove_image(f"{repository}:1")
    reference = f"{repository}@{digest}"
    # Wrong and missing passwords first: an engine serves a digest it has pulled before without asking the registry,
    # which is why a repository is bound to its creator.
    for refused in (None, RegistryLogin("me", "wrong-password")):
        outcome = run_with(runner, reference, script("echo '[1]'"), Recorder(), registry=refused)
        assert (outcome.ending, "does not let us pull" in outcome.message) == (Ending.IMAGE, True)
    sink = Recorder()
    outcome = run_with(runner, reference, script("echo '[1]'"), sink, registry=RegistryLogin("me", "right-password"))
    try:
        assert (outcome.ending, outcome.output) == (Ending.EXITED, b"[1]"), outcome
        assert sink.events[0] == f"Pulling {repository}"
        assert "right-password" not in str(sink.events)
    finally:
        engine.remove_image(reference, force=True)
