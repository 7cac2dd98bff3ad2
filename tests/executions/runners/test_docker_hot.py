"""Containers that wait for their input, with real ones."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import docker
import pytest
from django.conf import settings
from uuid_utils.compat import uuid7

from executions import documents
from executions.runners.base import Control, Ending, RunSpec, Stop
from executions.runners.docker import DockerRunner, confinement, hot
from executions.runners.docker.runtimes import USUAL
from tests.executions.conftest import eventually
from tests.executions.images import python, script
from tests.executions.runners.recording import LIMITS, Ran, Recorder

pytestmark = [pytest.mark.docker, pytest.mark.django_db]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerRunner]:
    """One run is enough to make an agent worth a container, and there is room for two."""
    monkeypatch.setattr(hot, "RUNS_EACH", 1)
    runner = DockerRunner(settings.DOCKER_HOST, hot_memory=2 * LIMITS.memory)
    yield runner
    runner.close()


def run(runner: DockerRunner, image: str, document: Any, sink: Recorder | None = None, **changes: Any) -> Ran:
    sink, control = sink or Recorder(), changes.pop("control", None) or Control()
    hosts, room = changes.pop("hosts", ()), changes.pop("room", None)
    limits = replace(LIMITS, **changes)
    spec = RunSpec(uuid7(), 1, image, documents.dump(document), limits, hosts=hosts, room=room)
    began = time.monotonic()
    try:
        return Ran(runner.run(spec, sink, control), sink, time.monotonic() - began)
    finally:
        control.close()


def waiting(runner: DockerRunner) -> list[hot.Waiting]:
    return [one for several in runner._hot._waiting.values() for one in several]


def warmed(runner: DockerRunner, image: str, count: int = 1) -> list[str]:
    """The waiting containers, once there are `count`, after a run that calls for them."""
    run(runner, image, script("echo '{}'"))
    runner.tend()
    eventually(lambda: len(runner._hot) == count)
    return [one.container for one in waiting(runner)]


def test_the_next_run_takes_the_waiting_container(runner: DockerRunner, scripted: str) -> None:
    (ready,) = warmed(runner, scripted)
    ran = run(runner, scripted, script("echo out; echo err >&2; echo '{\"hot\": true}'"))
    assert (ran.outcome.ending, ran.outcome.exit_code, ran.output) == (Ending.EXITED, 0, {"hot": True})
    assert ran.sink.handles == [ready]
    assert (ran.sink.stdout, ran.sink.stderr) == (["out"], ["err"])


def test_none_is_used_twice(runner: DockerRunner, scripted: str) -> None:
    used = [run(runner, scripted, script("echo '{}'")).sink.handles[0] for _ in range(6)]
    assert len(set(used)) == 6


def test_frozen_when_it_is_ready_and_thawed_for_its_run(
    runner: DockerRunner, scripted: str, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "WARM_SECONDS", 0.0)
    (ready,) = warmed(runner, scripted)
    runner.tend()
    assert engine.inspect_container(ready)["State"]["Paused"]
    ran = run(runner, scripted, script("echo '{\"thawed\": 1}'"))
    assert (ran.sink.handles, ran.output) == ([ready], {"thawed": 1})


def test_it_is_confined_like_a_cold_one(runner: DockerRunner, scripted: str, engine: docker.APIClient) -> None:
    described: dict[str, Any] = {}
    sink = Recorder(when_line=lambda line: described.update(cold=engine.inspect_container(sink.handles[0])))
    run(runner, scripted, script("echo begun; sleep 0.2; echo '{}'"), sink)
    runner.tend()
    (ready,) = eventually(lambda: [one.container for one in waiting(runner)])
    cold, warm = described["cold"], engine.inspect_container(ready)
    assert warm["HostConfig"] == cold["HostConfig"]
    for name in ("User", "Env", "Cmd", "Entrypoint", "WorkingDir", "Hostname", "StopSignal", "OpenStdin", "StdinOnce"):
        assert warm["Config"].get(name) == cold["Config"].get(name), name
    assert warm["HostConfig"]["NetworkMode"] == "none"


def test_other_limits_get_another_container(runner: DockerRunner, scripted: str) -> None:
    (ready,) = warmed(runner, scripted)
    ran = run(runner, scripted, script("echo '{}'"), memory=LIMITS.memory // 2)
    assert ran.sink.handles != [ready]


def test_budget_holds(runner: DockerRunner, scripted: str) -> None:
    for _ in range(5):
        run(runner, scripted, script("echo '{}'"))
    runner.tend()
    eventually(lambda: len(runner._hot) == 2)
    runner.tend()
    assert len(runner._hot) == 2


def test_without_a_budget_there_are_none(scripted: str) -> None:
    cold = DockerRunner(settings.DOCKER_HOST)
    for _ in range(2):
        run(cold, scripted, script("echo '{}'"))
    cold.tend()
    assert len(cold._hot) == 0


def test_runs_long_ago_call_for_none(
    runner: DockerRunner, scripted: str, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ready,) = warmed(runner, scripted)
    monkeypatch.setattr(hot, "WINDOW", 0.0)
    runner.tend()
    assert len(runner._hot) == 0
    with pytest.raises(docker.errors.NotFound):
        engine.inspect_container(ready)


def test_an_image_that_ends_by_itself_is_not_kept_waiting(
    runner: DockerRunner, base_image: str, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.executions import images

    monkeypatch.setattr(hot, "WARM_SECONDS", 0.0)
    dockerfile = f'FROM {base_image}\nCMD ["/bin/sh", "-c", "echo \'{{}}\'"]'
    with images.built(engine, "agentnexus-test/hasty", dockerfile) as hasty:
        for _ in range(3):
            ran = run(runner, hasty, {})
            assert (ran.outcome.ending, ran.output) == (Ending.EXITED, {})
            runner.tend()
        eventually(lambda: len(runner._hot) == 0)


def test_endings_are_those_of_a_cold_one(runner: DockerRunner, scripted: str) -> None:
    warmed(runner, scripted)
    assert run(runner, scripted, python("raise SystemExit(7)")).outcome.exit_code == 7
    runner.tend()
    eventually(lambda: len(runner._hot) >= 1)
    control = Control()
    sink = Recorder(when_line=lambda line: control.stop(Stop.CANCELLED))
    ran = run(runner, scripted, script("echo begun; sleep 60"), sink, control=control)
    assert ran.outcome.ending == Ending.CANCELLED


def test_the_reaper_sees_those_in_use_and_leaves_the_waiting_alone(
    runner: DockerRunner, scripted: str, engine: docker.APIClient
) -> None:
    (ready,) = warmed(runner, scripted)
    eventually(lambda: runner.containers() == [])  # the run before is being removed
    seen: list[tuple[str, UUID, int]] = []

    def look(line: str) -> None:
        seen.extend((one.handle, one.execution_id, one.attempt) for one in runner.containers())

    sink = Recorder(when_line=look)
    spec = RunSpec(uuid7(), 4, scripted, documents.dump(script("echo begun; sleep 0.2; echo '{}'")), LIMITS)
    control = Control()
    runner.run(spec, sink, control)
    control.close()
    assert (ready, spec.execution_id, 4) in seen


def test_what_a_dead_worker_kept_is_reaped(
    runner: DockerRunner, scripted: str, engine: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a waiting container whose label names a process of this machine that has ended
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setattr(os, "getpid", lambda: ended.pid)
    monkeypatch.setattr(hot, "WARM_SECONDS", 0.0)
    (ready,) = warmed(runner, scripted)
    runner.tend()
    assert engine.inspect_container(ready)["State"]["Paused"]
    # when
    found = [(one.handle, one.execution_id) for one in runner.containers()]
    # then it belongs to nobody, and can be removed although it is frozen
    assert (ready, UUID(int=0)) in found
    runner.remove(ready)
    mine = {"label": [f"{confinement.LABEL}.instance={confinement.instance()}"]}
    eventually(lambda: engine.containers(all=True, filters=mine) == [])


def test_closing_removes_them(runner: DockerRunner, scripted: str, engine: docker.APIClient) -> None:
    (ready,) = warmed(runner, scripted)
    runner.close()
    with pytest.raises(docker.errors.NotFound):
        engine.inspect_container(ready)
    run(runner, scripted, script("echo '{}'"))
    runner.tend()
    assert len(runner._hot) == 0


def test_a_run_with_hosts_gets_none() -> None:
    spec = RunSpec(uuid7(), 1, "x", b"{}", LIMITS, hosts=("example.org:443",))
    assert hot.Key.of(spec, "sha256:1", USUAL) is None
    assert hot.Key.of(replace(spec, hosts=(), gpus=1), "sha256:1", USUAL) is None
    assert hot.Key.of(replace(spec, hosts=(), gives_files=True), "sha256:1", USUAL) is None
    assert hot.Key.of(replace(spec, hosts=()), "sha256:1", USUAL) is not None


def test_they_make_room_for_runs(runner: DockerRunner, scripted: str, engine: docker.APIClient) -> None:
    run(runner, scripted, script("echo '{}'"))
    run(runner, scripted, script("echo '{}'"))
    runner.tend()
    eventually(lambda: len(runner._hot) == 2)
    several = [one.container for one in waiting(runner)]
    runner.tend(room=2 * LIMITS.memory - 1)
    (left,) = waiting(runner)
    # the last one goes with the run that leaves no room, and nothing takes its place
    ran = run(runner, scripted, script("echo '{}'"), room=0)
    assert ran.sink.handles == [left.container]
    runner.tend()
    assert waiting(runner) == []
    eventually(lambda: not {one["Id"] for one in engine.containers(all=True)} & set(several))
