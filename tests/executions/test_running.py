"""Executions from request to end, in real containers."""

import pytest

from executions import logs
from executions.models import Execution
from tests.executions.conftest import RunNow
from tests.executions.images import script
from tests.factories.executions import ExecutionFactory, version_of

pytestmark = [pytest.mark.docker, pytest.mark.django_db(transaction=True)]


def test_result_and_log_of_a_run(scripted: str, run_now: RunNow) -> None:
    # given
    text = 'echo one; echo two >&2; sleep 0.1; echo three; echo \'{"b": 1, "a": [true, null]}\''
    execution = ExecutionFactory.create(version=version_of(scripted), input=script(text))
    # when
    run_now(execution)
    # then
    assert (execution.status, execution.reason, execution.error) == (Execution.Status.SUCCEEDED, "", "")
    assert list(execution.output.items()) == [("b", 1), ("a", [True, None])]
    lines = logs.read(execution.pk).lines
    assert [line.seq for line in lines] == [1, 2, 3]
    assert {(line.stream.value, line.text) for line in lines} == {
        ("stdout", "one"),
        ("stderr", "two"),
        ("stdout", "three"),
    }
    assert execution.last_seq == 3
