"""A worker's hold on an execution."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from executions import dispatch, limits
from executions.dispatch.claims import Standing
from executions.dispatch.sweeping import Swept
from executions.models import Execution
from tests.factories.executions import ExecutionFactory


@pytest.mark.django_db
def test_claim_takes_and_counts() -> None:
    execution = ExecutionFactory.create()
    claimed = dispatch.claim(execution.pk, "w1")
    assert claimed is not None
    assert (claimed.status, claimed.attempt, claimed.worker) == ("starting", 1, "w1")
    assert claimed.lease_until is not None
    assert timedelta(seconds=25) < claimed.lease_until - timezone.now() <= timedelta(seconds=30)
    assert dispatch.claim(execution.pk, "w2") is None


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["starting", "running", "succeeded", "timed_out", "cancelled"])
def test_redelivered_message_finds_nothing_to_do(status: str) -> None:
    assert dispatch.claim(ExecutionFactory.create(status=status).pk, "w") is None


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_one_gets_it() -> None:
    execution = ExecutionFactory.create()

    def claim(worker: int) -> bool:
        try:
            return dispatch.claim(execution.pk, f"w{worker}") is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(claim, range(10))) == 1
    execution.refresh_from_db()
    assert execution.attempt == 1


@pytest.mark.django_db
def test_begin_is_fenced_and_starts_the_clock() -> None:
    execution = ExecutionFactory.create(status="starting", attempt=2, deadline_seconds=60)
    assert not dispatch.begin(execution.pk, 1, "c1")
    assert dispatch.begin(execution.pk, 2, "c2")
    execution.refresh_from_db()
    assert (execution.status, execution.container_id) == ("running", "c2")
    assert dispatch.begin(execution.pk, 2, "c2")  # the answer was lost
    assert not dispatch.begin(execution.pk, 2, "c3")
    assert execution.started_at is not None
    assert execution.deadline_at == execution.started_at + timedelta(seconds=80)


@pytest.mark.django_db
def test_a_worker_takes_over_nothing_that_it_has() -> None:
    past = timezone.now() - timedelta(seconds=1)
    execution = ExecutionFactory.create(status="running", attempt=1, node="n", fed=True, lease_until=past)
    assert dispatch.adopt_next("n", "w", [execution.pk]) is None
    assert dispatch.adopt_next("n", "w") == execution


@pytest.mark.django_db
def test_after_a_restart_of_the_database_workers_may_renew_first(monkeypatch: pytest.MonkeyPatch) -> None:
    past = timezone.now() - timedelta(hours=1)
    left = {"status": "running", "attempt": 1, "node": "n", "lease_until": past}
    alive = ExecutionFactory.create(fed=True, **left)
    ExecutionFactory.create(fed=False, **left)
    monkeypatch.setattr(limits, "RENEW_AFTER_RESTART", timedelta(days=36_500))
    assert dispatch.adopt_next("n", "w") is None
    assert dispatch.sweep() == Swept()

    monkeypatch.setattr(limits, "RENEW_AFTER_RESTART", timedelta(0))
    assert dispatch.adopt_next("n", "w") == alive
    assert dispatch.sweep() == Swept(retried=1, woken=1)


@pytest.mark.django_db
def test_renewing_reaches_only_what_is_held() -> None:
    old = timezone.now()
    mine = ExecutionFactory.create(status="running", attempt=1, lease_until=old)
    taken = ExecutionFactory.create(status="running", attempt=2, lease_until=old)
    over = ExecutionFactory.create(status="cancelled", attempt=1, lease_until=old)
    dispatch.renew({mine.pk: 1, taken.pk: 1, over.pk: 1})
    leases: dict[Any, Any] = dict(Execution.objects.values_list("pk", "lease_until"))
    assert leases[mine.pk] > old
    assert (leases[taken.pk], leases[over.pk]) == (old, old)


@pytest.mark.django_db
def test_standing_tells_of_loss_and_cancellation() -> None:
    mine = ExecutionFactory.create(status="running", attempt=1)
    unwanted = ExecutionFactory.create(status="starting", attempt=1, cancel_requested=True)
    taken = ExecutionFactory.create(status="running", attempt=2)
    over = ExecutionFactory.create(status="timed_out", attempt=1)
    assert dispatch.standing(dict.fromkeys([mine.pk, unwanted.pk, taken.pk, over.pk], 1)) == {
        mine.pk: Standing(held=True, cancel_requested=False),
        unwanted.pk: Standing(held=True, cancel_requested=True),
        taken.pk: Standing(held=False, cancel_requested=False),
        over.pk: Standing(held=False, cancel_requested=False),
    }


@pytest.mark.django_db
def test_giving_back_makes_a_new_attempt_possible() -> None:
    execution = ExecutionFactory.create(status="running", attempt=1, worker="w1", started_at=timezone.now())
    assert not dispatch.give_back(execution.pk, 2, "not mine")
    assert dispatch.give_back(execution.pk, 1, "The engine failed.", last_seq=7)
    execution.refresh_from_db()
    assert (execution.status, execution.failures, execution.error) == ("queued", 1, "The engine failed.")
    assert (execution.worker, execution.started_at, execution.last_seq) == ("", None, 7)
    claimed = dispatch.claim(execution.pk, "w2")
    assert claimed is not None
    assert claimed.attempt == 2


@pytest.mark.django_db
def test_giving_back_what_its_owner_cancelled_cancels_it() -> None:
    execution = ExecutionFactory.create(status="running", attempt=1, cancel_requested=True)
    assert dispatch.give_back(execution.pk, 1, "The engine failed.")
    execution.refresh_from_db()
    assert execution.status == "cancelled"
