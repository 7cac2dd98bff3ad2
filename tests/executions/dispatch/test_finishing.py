"""What a runner's outcome makes of an execution."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from executions import dispatch
from executions.dispatch.finishing import Verdict, judge
from executions.logs import Line, Stream
from executions.models import Execution, LogArchive
from executions.runners.base import Ending, RunOutcome
from executions.states import Status
from marketplace.models import Agent
from tests.factories.executions import ExecutionFactory, version_of

OUTPUT_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def exited(output: bytes | None = None, code: int = 0) -> RunOutcome:
    return RunOutcome(Ending.EXITED, exit_code=code, output=output)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (exited(b'{"n": 1}'), Verdict(Status.SUCCEEDED, output={"n": 1})),
        (
            exited(b'{"n": "1"}'),
            Verdict(
                Status.FAILED,
                "bad_output",
                "The result does not fit the agent's own schema. /n: This must be a whole number.",
            ),
        ),
        (
            exited(b"[]"),
            Verdict(
                Status.FAILED,
                "bad_output",
                "The result does not fit the agent's own schema. /: This must be an object.",
            ),
        ),
        (
            exited(None),
            Verdict(
                Status.FAILED,
                "bad_output",
                "The agent ended well but wrote no result: no line of its output is a JSON document.",
            ),
        ),
        (exited(b'{"n": 1}', 3), Verdict(Status.FAILED, "exit", "The agent stopped with exit code 3.")),
        (exited(None, 139), Verdict(Status.FAILED, "exit", "The agent was ended by signal 11 (exit code 139).")),
        (exited(None, 127), Verdict(Status.FAILED, "exit", "The image's command was not found (exit code 127).")),
        (RunOutcome(Ending.OUT_OF_MEMORY, "m", 137), Verdict(Status.FAILED, "out_of_memory", "m")),
        (RunOutcome(Ending.OUTPUT_LIMIT, "m"), Verdict(Status.FAILED, "output_limit", "m")),
        (RunOutcome(Ending.IMAGE, "m"), Verdict(Status.FAILED, "image", "m")),
        (RunOutcome(Ending.INFRASTRUCTURE, "m"), Verdict(Status.FAILED, "infrastructure", "m")),
        (RunOutcome(Ending.TIMED_OUT, "m"), Verdict(Status.TIMED_OUT, error="m")),
        (RunOutcome(Ending.CANCELLED, "m"), Verdict(Status.CANCELLED)),
    ],
)
def test_judgement(outcome: RunOutcome, verdict: Verdict) -> None:
    assert judge(outcome, OUTPUT_SCHEMA) == verdict


@pytest.mark.django_db
def test_names_that_cannot_be_stored_or_shown_cost_no_run_its_end() -> None:
    execution = running()
    execution.version.output_schema = {"type": "object", "additionalProperties": False}
    output = b'{"a\\u0000\\u001b[31mb": 1, "%b": 2}' % (b"long" * 10_000)
    assert dispatch.finish(execution, exited(output), [])
    execution.refresh_from_db()
    assert (execution.status, execution.reason) == ("failed", "bad_output")
    assert execution.error.startswith(
        "The result does not fit the agent's own schema. /a\N{REPLACEMENT CHARACTER}b: There"
    )
    assert len(execution.error) == 2_001


@pytest.mark.django_db
def test_neither_do_those_of_an_image() -> None:
    execution = running()
    assert dispatch.finish(execution, RunOutcome(Ending.IMAGE, "No command a\0b."), [])
    execution.refresh_from_db()
    assert execution.error == "No command a\N{REPLACEMENT CHARACTER}b."


def test_output_schema_that_costs_without_end() -> None:
    bomb: dict[str, Any] = {
        "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)} | {"d40": {}},
        "$ref": "#/$defs/d0",
    }
    began = time.monotonic()
    verdict = judge(exited(b"{}"), bomb)
    assert (verdict.status, verdict.reason) == (Status.FAILED, "bad_output")
    assert time.monotonic() - began < 10


def running(**changes: Any) -> Execution:
    version = version_of("agentnexus/x@sha256:" + "1" * 64, output_schema=OUTPUT_SCHEMA)
    execution = ExecutionFactory.create(version=version, status="running", attempt=1, **changes)
    return Execution.objects.select_related("version").get(pk=execution.pk)


@pytest.mark.django_db
def test_success_is_stored_counted_and_its_log_archived(monkeypatch: pytest.MonkeyPatch) -> None:
    execution = running(started_at=timezone.now())
    monkeypatch.setattr(timezone, "now", lambda: datetime(2020, 1, 1, tzinfo=UTC))  # a machine whose clock is wrong
    lines = [Line(1, 0, Stream.STDOUT, "a"), Line(2, 1, Stream.STDERR, "b")]
    assert dispatch.finish(execution, exited(b'{"n": 1}'), lines)
    execution.refresh_from_db()
    assert (execution.status, execution.output, execution.exit_code, execution.last_seq) == (
        "succeeded",
        {"n": 1},
        0,
        2,
    )
    assert execution.duration_seconds is not None
    assert 0 <= execution.duration_seconds < 5
    assert execution.lease_until is None
    assert LogArchive.objects.get(execution=execution).line_count == 2
    assert Agent.objects.get(pk=execution.agent_id).execution_count == 1


@pytest.mark.django_db
def test_the_result_of_an_older_attempt_is_refused() -> None:
    execution = running()
    Execution.objects.filter(pk=execution.pk).update(attempt=2)
    assert not dispatch.finish(execution, exited(b'{"n": 1}'), [Line(1, 0, Stream.STDOUT, "a")])
    execution.refresh_from_db()
    assert (execution.status, execution.output) == ("running", None)
    assert LogArchive.objects.count() == 0
    assert Agent.objects.get(pk=execution.agent_id).execution_count == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ending", "failures"), [(Ending.INFRASTRUCTURE, 1), (Ending.UNAVAILABLE, 0), (Ending.SHUTDOWN, 0)]
)
def test_failures_of_the_platform_are_tried_again(ending: Ending, failures: int) -> None:
    execution = running()
    assert dispatch.finish(execution, RunOutcome(ending, "It failed."), [])
    execution.refresh_from_db()
    assert (execution.status, execution.failures, execution.error) == ("queued", failures, "It failed.")


@pytest.mark.django_db
def test_but_not_for_ever() -> None:
    execution = running(failures=2)
    assert dispatch.finish(execution, RunOutcome(Ending.INFRASTRUCTURE, "It failed."), [])
    execution.refresh_from_db()
    assert (execution.status, execution.reason, execution.failures) == ("failed", "infrastructure", 3)


@pytest.mark.django_db
def test_waiting_for_an_engine_is_no_failure_however_long() -> None:
    execution = running(failures=2)
    assert dispatch.finish(execution, RunOutcome(Ending.UNAVAILABLE, "No engine."), [])
    execution.refresh_from_db()
    assert (execution.status, execution.failures) == ("queued", 2)


@pytest.mark.django_db
def test_lost_run_writes_nothing() -> None:
    execution = running()
    before = Execution.objects.filter(pk=execution.pk).values().get()
    assert not dispatch.finish(execution, RunOutcome(Ending.LOST), [])
    assert Execution.objects.filter(pk=execution.pk).values().get() == before


@pytest.mark.django_db
def test_a_result_that_came_before_the_cancellation_took_effect_stands() -> None:
    execution = running(cancel_requested=True)
    assert dispatch.finish(execution, exited(b'{"n": 1}'), [])
    execution.refresh_from_db()
    assert execution.status == "succeeded"
