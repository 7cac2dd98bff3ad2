"""Documents deleted on request and after their time."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from executions import dispatch, logs, retention
from executions.errors import NotFinishedError
from executions.logs import Line, Stream, stream
from executions.models import EgressRecord, Execution, LogArchive
from tests.account_fixtures import ApiFor
from tests.factories.executions import ExecutionFactory
from wallets.models import User

pytestmark = pytest.mark.django_db


def ended(days: float = 0, **changes: object) -> Execution:
    execution = ExecutionFactory.create(
        status="succeeded",
        input={"a": 1},
        output={"b": 2},
        error="/name: This field is required.",
        finished_at=timezone.now() - timedelta(days=days),
        **changes,
    )
    EgressRecord.objects.create(
        execution=execution,
        attempt=1,
        at=timezone.now(),
        host="a.test",
        port=443,
        sent=1,
        received=1,
        verdict="allowed",
    )
    lines = [Line(1, 0, Stream.STDOUT, "secret")]
    logs.append(execution.pk, 1, lines)
    logs.archive(execution.pk, lines)
    return execution


def test_everything_is_gone_and_the_row_stays(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    execution = ended()
    with django_capture_on_commit_callbacks(execute=True):
        retention.delete_documents(execution.pk)
        retention.delete_documents(execution.pk)
    execution.refresh_from_db()
    assert (execution.input, execution.output, execution.error, execution.status) == ({}, None, "", "succeeded")
    assert not execution.connections.exists()
    assert execution.documents_deleted_at is not None
    assert LogArchive.objects.count() == 0
    assert stream.last_seq(execution.pk) == 0
    assert logs.read(execution.pk).lines == ()


def test_a_log_that_redis_still_has_is_not_archived_anew(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """Redis was away when the documents were deleted."""
    deleted, kept = (ended(attempt=1, log_left_behind=True) for _ in range(2))
    retention.delete_documents(deleted.pk)
    LogArchive.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        dispatch.sweep()
    assert list(LogArchive.objects.values_list("execution", flat=True)) == [kept.pk]


def test_a_worker_that_only_slept_does_not_bring_the_log_back(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    execution = ended()
    with logs.LogWriter(execution.pk, 1) as asleep:
        asleep.write(Stream.STDOUT, "secret")
        with django_capture_on_commit_callbacks(execute=True):
            retention.delete_documents(execution.pk)
        asleep.write(Stream.STDOUT, "more")
    assert logs.read(execution.pk).lines == ()


@pytest.mark.parametrize("status", ["queued", "starting", "running"])
def test_not_while_it_is_under_way(status: str) -> None:
    execution = ExecutionFactory.create(status=status, input={"a": 1})
    with pytest.raises(NotFinishedError):
        retention.delete_documents(execution.pk)
    execution.refresh_from_db()
    assert execution.input == {"a": 1}


def test_only_what_is_old_enough(settings: Settings) -> None:
    settings.EXECUTION_RETENTION_DAYS = 30
    old, young = ended(days=31), ended(days=29)
    running = ExecutionFactory.create(status="running", input={"a": 1})
    assert retention.delete_old_documents() == 1
    assert retention.delete_old_documents() == 0
    inputs = {one.pk: one.input for one in Execution.objects.all()}
    assert inputs == {old.pk: {}, young.pk: {"a": 1}, running.pk: {"a": 1}}
    assert LogArchive.objects.get().execution_id == young.pk


def test_zero_keeps_for_ever(settings: Settings) -> None:
    settings.EXECUTION_RETENTION_DAYS = 0
    ended(days=10_000)
    assert retention.delete_old_documents() == 0


def test_api(api: ApiFor, user: User, staff: User) -> None:
    execution = ended(user=user)
    url = f"/api/v1/executions/{execution.pk}/documents"
    assert api(staff).delete(url).status_code == 404
    assert api(user).delete(url).status_code == 204
    assert api(user).delete(url).status_code == 204
    assert api(user).get(f"/api/v1/executions/{execution.pk}").json()["documents_deleted_at"] is not None
    running = ExecutionFactory.create(user=user, status="running")
    refused = api(user).delete(f"/api/v1/executions/{running.pk}/documents")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_finished")
