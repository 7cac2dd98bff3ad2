"""What keeps a worker's holds."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone

from executions import dispatch, limits
from executions.models import Execution
from executions.runners.base import Control, Stop
from executions.worker.keeper import Keeper
from tests.executions.conftest import eventually
from tests.factories.executions import ExecutionFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def control() -> Iterator[Control]:
    control = Control()
    yield control
    control.close()


def running(**changes: object) -> Execution:
    lease = timezone.now() + timedelta(seconds=5)
    return ExecutionFactory.create(status="running", attempt=1, lease_until=lease, **changes)


def test_renews_the_lease(keeper: Keeper, control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RENEW_EVERY", timedelta(milliseconds=50))
    execution = running()
    before = execution.lease_until
    keeper.watch(execution.pk, 1, control)

    def renewed() -> bool:
        execution.refresh_from_db()
        return execution.lease_until is not None and before is not None and execution.lease_until > before

    eventually(renewed)
    assert control.reason is None


def test_passes_on_a_cancellation_within_a_second(keeper: Keeper, control: Control) -> None:
    execution = running()
    keeper.watch(execution.pk, 1, control)
    dispatch.cancel(execution.user, execution.pk)
    eventually(lambda: control.reason is not None)
    assert control.reason == Stop.CANCELLED


def test_notices_a_lost_hold(keeper: Keeper, control: Control) -> None:
    execution = running()
    keeper.watch(execution.pk, 1, control)
    Execution.objects.filter(pk=execution.pk).update(attempt=2)
    eventually(lambda: control.reason is not None)
    assert control.reason == Stop.LOST


@pytest.mark.parametrize("error", [DatabaseError, ValueError])
def test_goes_on_while_the_database_is_away_or_whatever_happens(
    keeper: Keeper, control: Control, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setattr(limits, "LOOK_EVERY", timedelta(milliseconds=20))
    failures = []

    def away(holds: object) -> None:
        failures.append(1)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(dispatch, "standing", away)
        execution = running(cancel_requested=True)
        keeper.watch(execution.pk, 1, control)
        eventually(lambda: len(failures) > 2)
        assert control.reason is None
    eventually(lambda: control.reason == Stop.CANCELLED)


def test_watches_only_what_runs(keeper: Keeper, control: Control) -> None:
    execution = running()
    keeper.watch(execution.pk, 1, control)
    assert len(keeper) == 1
    keeper.forget(execution.pk)
    assert len(keeper) == 0
    keeper.stop_all(Stop.SHUTDOWN)
    assert control.reason is None


def test_the_first_reason_to_stop_counts(control: Control) -> None:
    control.stop(Stop.CANCELLED)
    control.stop(Stop.LOST)
    assert control.reason == Stop.CANCELLED


def test_stopping_what_is_over_does_no_harm() -> None:
    control = Control()
    control.close()
    control.stop(Stop.CANCELLED)
    assert control.reason is None
