"""Cancelling at any moment, by those who may."""

import pytest
from django.contrib.auth.models import Permission

from executions import dispatch
from executions.errors import NotYoursError
from executions.models import Execution
from tests.factories.executions import ExecutionFactory
from wallets.models import User

pytestmark = pytest.mark.django_db


def test_queued_is_cancelled_at_once() -> None:
    execution = ExecutionFactory.create()
    cancelled = dispatch.cancel(execution.user, execution.pk)
    assert (cancelled.status, cancelled.error) == ("cancelled", "Cancelled.")
    assert cancelled.finished_at is not None
    assert dispatch.claim(execution.pk, "w") is None


@pytest.mark.parametrize("status", ["starting", "running"])
def test_under_way_is_asked_to_stop(status: str) -> None:
    execution = ExecutionFactory.create(status=status, attempt=1)
    cancelled = dispatch.cancel(execution.user, execution.pk)
    assert (cancelled.status, cancelled.cancel_requested) == (status, True)


@pytest.mark.parametrize("status", ["succeeded", "timed_out", "cancelled"])
def test_ended_stays_as_it_is(status: str) -> None:
    execution = ExecutionFactory.create(status=status, output={"a": 1})
    before = Execution.objects.filter(pk=execution.pk).values().get()
    dispatch.cancel(execution.user, execution.pk)
    assert Execution.objects.filter(pk=execution.pk).values().get() == before


@pytest.mark.parametrize("status", ["queued", "starting", "running", "succeeded"])
def test_three_times_is_like_once(status: str) -> None:
    execution = ExecutionFactory.create(status=status)
    first = dispatch.cancel(execution.user, execution.pk)
    for _ in range(2):
        again = dispatch.cancel(execution.user, execution.pk)
        assert (again.status, again.cancel_requested, again.finished_at) == (
            first.status,
            first.cancel_requested,
            first.finished_at,
        )


def test_stranger_and_powerless_staff_may_not(stranger: User) -> None:
    execution = ExecutionFactory.create()
    with pytest.raises(NotYoursError):
        dispatch.cancel(stranger, execution.pk)
    stranger.is_staff = stranger.acts_as_staff = True
    stranger.save()
    with pytest.raises(NotYoursError):
        dispatch.cancel(stranger, execution.pk)
    execution.refresh_from_db()
    assert execution.status == "queued"


def test_staff_with_the_permission_may_and_it_is_said(stranger: User) -> None:
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="change_execution"))
    execution = ExecutionFactory.create()
    helper = User.objects.get(pk=stranger.pk)
    with pytest.raises(NotYoursError):  # without a second factor
        dispatch.cancel(helper, execution.pk)
    helper.acts_as_staff = True
    assert dispatch.cancel(helper, execution.pk).error == "Stopped by the platform's staff."


def test_the_first_who_asks_says_why(stranger: User) -> None:
    stranger.user_permissions.add(Permission.objects.get(codename="change_execution"))
    execution = ExecutionFactory.create(status="running", attempt=1)
    stranger.acts_as_staff = True
    for user in (stranger, execution.user):
        assert (
            dispatch.cancel(user, execution.pk, "Mines coins.").error == "Stopped by the platform's staff. Mines coins."
        )
