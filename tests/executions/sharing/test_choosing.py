"""Whose turn is next."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from executions import dispatch
from executions.models import AgentQuota, Execution
from executions.sharing.positions import position
from tests.factories.executions import ExecutionFactory, NodeFactory, version_of
from tests.factories.wallets import UserFactory
from wallets.models import User

pytestmark = pytest.mark.django_db
IMAGE = "agentnexus/x@sha256:" + "1" * 64


@pytest.fixture(autouse=True)
def _here(db: None, settings: Settings) -> None:
    settings.EXECUTION_CONCURRENT_PER_USER = 3
    NodeFactory.create(name="here")


def waiting(user: User, count: int = 1, **changes: Any) -> list[Execution]:
    version = changes.pop("version", None) or version_of(IMAGE)
    return [ExecutionFactory.create(user=user, version=version, **changes) for _ in range(count)]


def claimed() -> Iterator[Execution]:
    """What a free worker is given, again and again."""
    while (execution := dispatch.claim_next("here", "w")) is not None:
        yield execution


def end(execution: Execution) -> None:
    Execution.objects.filter(pk=execution.pk).update(status="succeeded", finished_at=timezone.now())


def test_one_run_waits_a_turn_behind_a_thousand(user: User, stranger: User) -> None:
    # given: somebody's thousand, two of them under way on two workers
    Execution.objects.bulk_create(
        ExecutionFactory.build(user=user, version=version, agent=version.agent)
        for version in [version_of(IMAGE)]
        for _ in range(1000)
    )
    first, second = dispatch.claim_next("here", "w"), dispatch.claim_next("here", "w")
    assert first
    assert second
    # when: somebody else asks for one
    (single,) = waiting(stranger)
    # then
    assert position(single) == 1
    end(first)
    assert dispatch.claim_next("here", "w") == single


def test_people_take_turns(user: User, stranger: User, settings: Settings) -> None:
    third = UserFactory.create()
    for person, count in ((user, 4), (stranger, 2), (third, 1)):
        waiting(person, count)
    served = []
    for execution in claimed():
        served.append(execution.user)
        end(execution)
    assert served == [user, stranger, third, user, stranger, user, user]


def test_who_has_fewer_under_way_goes_first(user: User, stranger: User) -> None:
    waiting(user, 3)
    waiting(stranger, 3)
    assert [execution.user for execution in claimed()] == [user, stranger, user, stranger, user, stranger]


def test_one_person_has_at_most_so_many_under_way(user: User, settings: Settings) -> None:
    settings.EXECUTION_CONCURRENT_PER_USER = 2
    waiting(user, 5)
    first, _ = claimed()
    end(first)
    assert len(list(claimed())) == 1
    settings.EXECUTION_CONCURRENT_PER_USER = 0
    assert len(list(claimed())) == 2


def test_own_priorities_order_ones_own_only(user: User, stranger: User) -> None:
    normal, high = waiting(user)[0], waiting(user, priority=1)[0]
    theirs = waiting(stranger)[0]
    assert list(claimed()) == [high, theirs, normal]


def test_low_yields_to_everybody_but_not_for_ever(user: User, stranger: User) -> None:
    patient = waiting(stranger, priority=-1)[0]
    low, normal = waiting(user, priority=-1)[0], waiting(user)[0]
    Execution.objects.filter(pk=patient.pk).update(queued_at=timezone.now() - timedelta(minutes=11))
    assert list(claimed()) == [patient, normal, low]


def test_urgent_goes_first_whoever_has_how_many_under_way(user: User, stranger: User) -> None:
    waiting(user, 2)
    list(claimed())
    waiting(stranger)
    urgent = waiting(user, priority=2)[0]
    assert dispatch.claim_next("here", "w") == urgent


def test_agent_runs_no_more_often_at_once_than_its_creator_and_the_settings_say(
    user: User, stranger: User, settings: Settings
) -> None:
    version = version_of(IMAGE)
    for person in (user, stranger, UserFactory.create()):
        waiting(person, version=version)
    settings.EXECUTION_CONCURRENT_PER_AGENT = 2
    quota = AgentQuota.objects.create(agent=version.agent, concurrent=1)
    assert len(list(claimed())) == 1
    quota.delete()
    assert len(list(claimed())) == 1


def test_node_takes_only_what_it_has_room_for(user: User, settings: Settings) -> None:
    settings.EXECUTION_CONCURRENT_PER_USER = 0
    gib = 1024**3
    small, large = waiting(user, memory_bytes=gib // 4)[0], waiting(user, memory_bytes=gib)[0]
    assert list(claimed()) == [small]
    end(small)
    assert list(claimed()) == [large]


def test_small_runs_of_others_do_not_take_the_room_of_a_large_one_for_ever(user: User, stranger: User) -> None:
    # given: a node whose memory one person's small runs share, and somebody's run that needs all of it
    waiting(user, 5, memory_bytes=400 * 1024**2)
    (large,) = waiting(stranger, memory_bytes=1024**3)
    assert [execution.user for execution in claimed()] == [user, user]
    # when: it has waited for a minute, and one of theirs ends
    Execution.objects.filter(pk=large.pk).update(queued_at=timezone.now() - timedelta(seconds=61))
    first, second = Execution.objects.filter(status="starting")
    end(first)
    assert dispatch.claim_next("here", "w") is None
    # then: the room is left until there is enough
    end(second)
    assert dispatch.claim_next("here", "w") == large


def test_one_that_is_too_large_for_the_node_holds_nobody_up(user: User, stranger: User) -> None:
    waiting(stranger, memory_bytes=2 * 1024**3)
    Execution.objects.update(queued_at=timezone.now() - timedelta(hours=1))
    (small,) = waiting(user)
    assert list(claimed()) == [small]


def test_labels_lead_to_the_node_that_has_them(user: User) -> None:
    NodeFactory.create(name="graphics", labels=["gpu", "large"])
    (execution,) = waiting(user, needs=["gpu"])
    assert dispatch.claim_next("here", "w") is None
    assert dispatch.claim_next("graphics", "w") == execution
    execution.refresh_from_db()
    assert (execution.node, execution.worker) == ("graphics", "w")


@pytest.mark.parametrize("changes", [{"state": "cordoned"}, {"state": "draining"}, {"engine_ok": False}])
def test_node_out_of_service_takes_nothing(user: User, changes: dict[str, Any]) -> None:
    NodeFactory.create(name="out", **changes)
    waiting(user)
    assert dispatch.claim_next("out", "w") is None
    assert dispatch.claim_next("unknown", "w") is None


def test_image_that_another_node_has_is_left_to_it_for_a_while(user: User) -> None:
    other = NodeFactory.create(name="other", images={IMAGE.partition("@")[2]: 1000})
    first, second, third = waiting(user, 3)
    assert dispatch.claim_next("here", "w") is None
    assert dispatch.claim_next("other", "w") == first
    Execution.objects.filter(pk=second.pk).update(queued_at=timezone.now() - timedelta(seconds=3))
    assert dispatch.claim_next("here", "w") == second
    other.delete()
    assert dispatch.claim_next("here", "w") == third


def test_not_before_its_time_and_not_after_it(user: User) -> None:
    waiting(user, not_before=timezone.now() + timedelta(seconds=10))
    waiting(user, cancel_at=timezone.now() - timedelta(seconds=1))
    assert list(claimed()) == []


def test_places_in_the_queue(user: User, stranger: User) -> None:
    mine, theirs, low = waiting(user, 3), waiting(stranger, 2), waiting(user, priority=-1)[0]
    assert [position(one) for one in mine] == [1, 3, 5]
    assert [position(one) for one in theirs] == [2, 4]
    assert position(low) == 6
    served = []
    for execution in claimed():
        served.append(execution)
        end(execution)
    assert served == [mine[0], theirs[0], mine[1], theirs[1], mine[2], low]
    low.refresh_from_db()
    assert position(low) is None


@pytest.mark.django_db(transaction=True)
def test_workers_choosing_at_once_pass_no_limit(settings: Settings) -> None:
    settings.EXECUTION_CONCURRENT_PER_USER = 3
    user = UserFactory.create()
    waiting(user, 20)

    def take(worker: int) -> Execution | None:
        try:
            return dispatch.claim_next("here", f"w{worker}")
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        taken = [one.pk for one in pool.map(take, range(20)) if one]
    assert len(taken) == len(set(taken)) == 3
