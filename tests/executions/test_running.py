"""Executions from claim to end, in real containers."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from pytest_django import Settings

from executions import dispatch, logs
from executions.connections import redis_client
from executions.errors import RunnerUnavailableError
from executions.models import Execution, LogArchive
from executions.runners.base import Control, Found, RunOutcome, RunSpec, Sink, Stop
from executions.runners.docker import DockerRunner
from executions.worker import run_next
from executions.worker.keeper import Keeper
from tests.executions.conftest import RunNow, eventually, run_one
from tests.executions.images import python, script
from tests.factories.executions import ExecutionFactory, NodeFactory, version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def execution_of(image: str, document: Any, **changes: Any) -> Execution:
    version = version_of(image, output_schema=changes.pop("output_schema", {"type": "object"}))
    return ExecutionFactory.create(version=version, input=document, **changes)


def test_result_and_log_of_a_run(scripted: str, run_now: RunNow) -> None:
    # given
    text = 'echo one; echo two >&2; sleep 0.1; echo three; echo \'{"b": 1, "a": [true, null]}\''
    execution = execution_of(scripted, script(text))
    # when
    run_now(execution)
    # then
    assert (execution.status, execution.reason, execution.error) == (Execution.Status.SUCCEEDED, "", "")
    assert list(execution.output.items()) == [("b", 1), ("a", [True, None])]
    assert (execution.attempt, execution.failures, execution.exit_code, execution.last_seq) == (1, 0, 0, 3)
    assert execution.started_at is not None
    lines = logs.read(execution.pk).lines
    assert [line.seq for line in lines] == [1, 2, 3]
    assert sorted((line.stream.value, line.text) for line in lines) == [
        ("stderr", "two"),
        ("stdout", "one"),
        ("stdout", "three"),
    ]
    assert LogArchive.objects.get(execution=execution).line_count == 3


@pytest.mark.parametrize(
    ("document", "status", "reason", "error"),
    [
        (python("print('x'); raise SystemExit(5)"), "failed", "exit", "The agent stopped with exit code 5."),
        (script("echo hi"), "failed", "bad_output", "The agent ended well but wrote no result: "),
        (
            script("echo '{\"n\": true}'"),
            "failed",
            "bad_output",
            "The result does not fit the agent's own schema. /n: ",
        ),
        (script("head -c 3000000 /dev/zero"), "failed", "output_limit", "The agent wrote a line of more than 1 MiB "),
        (script("sleep 60"), "timed_out", "", "The agent ran longer than the 1 seconds it has."),
        (python("x = 'x' * 700_000_000"), "failed", "out_of_memory", "The agent used more than the 64 MiB of memory"),
    ],
    ids=["crash", "no output", "wrong output", "huge output", "timeout", "memory"],
)
def test_agents_own_failures_are_final(
    scripted: str, run_now: RunNow, settings: Settings, document: Any, status: str, reason: str, error: str
) -> None:
    settings.EXECUTION_MEMORY_BYTES = 64 * 1024 * 1024
    execution = run_now(execution_of(scripted, document, output_schema=SCHEMA, deadline_seconds=1))
    assert (execution.status, execution.reason, execution.attempt) == (status, reason, 1)
    assert execution.error.startswith(error)
    assert execution.finished_at is not None


def test_missing_image_says_so_in_the_log(run_now: RunNow) -> None:
    execution = run_now(execution_of(f"127.0.0.1:1/no/image@sha256:{'0' * 64}", {}))
    assert (execution.status, execution.reason) == ("failed", "image")
    assert execution.error.startswith("The image 127.0.0.1:1/no/image could not be pulled: ")
    lines = logs.read(execution.pk).lines
    assert [line.stream.value for line in lines] == ["event", "event"]
    assert [lines[0].text, lines[1].text] == ["Pulling 127.0.0.1:1/no/image", execution.error]


def in_thread(execution: Execution, keeper: Keeper, runner: Any) -> threading.Thread:
    def run() -> None:
        run_one(execution.pk, "w", keeper, runner)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_cancel_while_running(scripted: str, keeper: Keeper, runner: DockerRunner) -> None:
    execution = execution_of(scripted, script("echo begun; sleep 60"))
    thread = in_thread(execution, keeper, runner)
    eventually(lambda: logs.read(execution.pk).lines)
    began = time.monotonic()
    for _ in range(3):
        dispatch.cancel(execution.user, execution.pk)
    thread.join()
    assert time.monotonic() - began < 10
    execution.refresh_from_db()
    assert (execution.status, execution.error) == ("cancelled", "Cancelled.")
    assert [line.text for line in logs.read(execution.pk).lines] == ["begun", "Cancelled."]


def test_cancel_while_pulling(silent_registry: str, keeper: Keeper, runner: DockerRunner) -> None:
    execution = execution_of(f"{silent_registry}/a/b@sha256:{'0' * 64}", {})
    thread = in_thread(execution, keeper, runner)
    eventually(lambda: logs.read(execution.pk).lines)
    dispatch.cancel(execution.user, execution.pk)
    thread.join(20)
    execution.refresh_from_db()
    assert execution.status == "cancelled"


def test_same_message_twice_runs_once(scripted: str, keeper: Keeper, runner: DockerRunner) -> None:
    execution = execution_of(scripted, script("sleep 0.3; echo '{}'"))
    threads = [in_thread(execution, keeper, runner) for _ in range(4)]
    for thread in threads:
        thread.join()
    execution.refresh_from_db()
    assert (execution.status, execution.attempt) == ("succeeded", 1)
    assert not run_one(execution.pk, "late", keeper, runner)


def test_taken_away_meanwhile_it_writes_nothing_and_its_container_dies(
    scripted: str, keeper: Keeper, runner: DockerRunner
) -> None:
    execution = execution_of(scripted, script("echo begun; sleep 60"))
    thread = in_thread(execution, keeper, runner)
    eventually(lambda: logs.read(execution.pk).lines)
    Execution.objects.filter(pk=execution.pk).update(attempt=2, worker="other", container_id="")
    thread.join(20)
    execution.refresh_from_db()
    assert (execution.status, execution.attempt, execution.worker) == ("running", 2, "other")
    assert runner.containers() == []


def test_worker_going_down_hands_it_on_without_blame(scripted: str, keeper: Keeper, runner: DockerRunner) -> None:
    execution = execution_of(scripted, script("echo begun; sleep 60"))
    thread = in_thread(execution, keeper, runner)
    eventually(lambda: logs.read(execution.pk).lines)
    keeper.stop_all(Stop.SHUTDOWN)
    thread.join(20)
    execution.refresh_from_db()
    assert (execution.status, execution.failures, execution.last_seq) == ("queued", 0, 2)
    assert execution.error == "The worker was shut down."


def test_without_engine_it_waits_unclaimed(keeper: Keeper) -> None:
    execution = execution_of(f"agentnexus/x@sha256:{'0' * 64}", {})
    NodeFactory.create(name="here")
    assert not run_next("here", "w", keeper, DockerRunner("unix:///nonexistent/docker.sock"))
    execution.refresh_from_db()
    assert (execution.status, execution.attempt) == ("queued", 0)


class Flaky:
    """An engine that fails as told, then works."""

    def __init__(self, runner: DockerRunner, *failures: Exception) -> None:
        self.runner = runner
        self.failures = list(failures)

    def probe(self) -> None:
        self.runner.probe()

    def describe(self) -> str:
        return "flaky"

    def containers(self) -> list[Found]:
        return self.runner.containers()

    def remove(self, handle: str) -> None:
        self.runner.remove(handle)

    def run(self, spec: RunSpec, sink: Sink, control: Control) -> RunOutcome:
        if self.failures:
            sink.event("about to fail")
            raise self.failures.pop(0)
        return self.runner.run(spec, sink, control)


def test_platform_failure_is_tried_again_and_the_log_goes_on(
    scripted: str, keeper: Keeper, runner: DockerRunner
) -> None:
    execution = execution_of(scripted, script("echo fine; echo '{}'"))
    flaky = Flaky(runner, RuntimeError("boom"), RunnerUnavailableError("boom"))
    for _ in range(3):
        run_one(execution.pk, "w", keeper, flaky)
    execution.refresh_from_db()
    assert (execution.status, execution.attempt, execution.failures, execution.error) == ("succeeded", 3, 2, "")
    lines = logs.read(execution.pk).lines
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    assert [line.text for line in lines] == [
        "about to fail",
        "The platform failed to run the agent.",
        "Attempt 2. The platform failed to run the agent.",
        "about to fail",
        "The platform failed to run the agent.",
        "Attempt 3. The platform failed to run the agent.",
        "fine",
    ]


def test_redis_that_loses_everything_costs_no_line(scripted: str, keeper: Keeper, runner: DockerRunner) -> None:
    execution = execution_of(scripted, script("for i in 1 2 3 4 5 6 7 8; do echo n$i; sleep 0.1; done; echo '{}'"))
    thread = in_thread(execution, keeper, runner)
    eventually(lambda: len(logs.read(execution.pk).lines) >= 3)
    redis_client().flushdb()
    thread.join()
    execution.refresh_from_db()
    assert execution.status == "succeeded"
    redis_client().flushdb()
    assert [(line.seq, line.text) for line in logs.read(execution.pk).lines] == [(n, f"n{n}") for n in range(1, 9)]


def test_result_waits_for_a_database_that_is_restarted(
    scripted: str, run_now: RunNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = execution_of(scripted, script("echo '{}'"))
    for name in ("begin", "finish"):
        monkeypatch.setattr(dispatch, name, failing_twice(getattr(dispatch, name)))
    run_now(execution)
    assert (execution.status, execution.attempt) == ("succeeded", 1)


def failing_twice(work: Callable[..., Any]) -> Callable[..., Any]:
    """At first the work is done, and only the answer is lost."""
    errors: list[Exception] = [OperationalError("terminating connection"), InterfaceError("connection already closed")]

    def tried(*args: Any, **named: Any) -> Any:
        done = None if len(errors) == 1 else work(*args, **named)
        if errors:
            raise errors.pop()
        return done

    return tried
