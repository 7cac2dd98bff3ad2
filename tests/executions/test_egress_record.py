"""What is kept of a run's connections, and when."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.test import Client

from executions.models import EgressRecord
from executions.runners.base import Connection, Verdict
from executions.worker import egress
from tests.executions.conftest import eventually
from tests.factories.executions import ExecutionFactory, version_of

pytestmark = pytest.mark.django_db(transaction=True)


def seen(port: int, verdict: Verdict = Verdict.ALLOWED) -> Connection:
    return Connection(at=1000.0 + port, host="api.test", port=port, sent=1, received=10, verdict=verdict)


def stored() -> list[tuple[Any, ...]]:
    return list(EgressRecord.objects.values_list("port", "sent", "received", "verdict", "count", "attempt"))


def test_written_while_the_run_goes_on(client: Client) -> None:
    version = version_of("registry.test/agent@sha256:" + "1" * 64, hosts=["api.test:1"])
    execution = ExecutionFactory.create(version=version, status="running", attempt=2)
    told: list[str] = []
    client.force_login(execution.user)
    page = f"/executions/{execution.pk}/result/"
    assert "None so far" in client.get(page).content.decode()
    record = egress.Record(execution, told.append)
    record.add(seen(1))
    eventually(lambda: stored() == [(1, 1, 10, "allowed", 1, 2)])
    assert "api.test:1" in client.get(page).content.decode()
    record.add(seen(2, Verdict.REFUSED))
    record.add(seen(2, Verdict.REFUSED))
    record.close()
    assert stored() == [(1, 1, 10, "allowed", 1, 2), (2, 1, 10, "refused", 1, 2), (2, 1, 10, "refused", 1, 2)]
    assert told == ["Connected to api.test:1", "Refused: a connection to api.test:2"]


def test_of_very_many_the_rest_is_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "MOST", 2)
    record = egress.Record(ExecutionFactory.create(status="running", attempt=1), lambda _: None)
    for port in range(1, 6):
        record.add(seen(port))
    record.close()
    assert stored() == [(1, 1, 10, "allowed", 1, 1), (2, 1, 10, "allowed", 1, 1), (0, 3, 30, "more", 3, 1)]


def test_what_cannot_be_written_costs_no_run_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(rows: list[EgressRecord]) -> None:
        raise DataError

    execution = ExecutionFactory.create(status="running", attempt=1)
    record = egress.Record(execution, lambda _: None)
    record.add(replace(seen(1), host="[A_VERY_LONG_NAME]" * 20))
    record.close()
    assert EgressRecord.objects.get().host.startswith("[A_VERY_LONG_NAME][A_VERY")
    monkeypatch.setattr(EgressRecord.objects, "bulk_create", failing)
    another = egress.Record(execution, lambda _: None)
    another.add(seen(1))
    another.close()


def test_none_is_lost_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress, "WRITE_EVERY", 0.05)
    write, tries = EgressRecord.objects.bulk_create, []

    def failing(rows: list[EgressRecord]) -> list[EgressRecord]:
        tries.append(len(rows))
        if len(tries) < 3:
            raise OperationalError("the database system is starting up")
        return write(rows)

    monkeypatch.setattr(EgressRecord.objects, "bulk_create", failing)
    record = egress.Record(ExecutionFactory.create(status="running", attempt=1), lambda _: None)
    record.add(seen(1))
    eventually(lambda: stored() == [(1, 1, 10, "allowed", 1, 1)])
    record.close()
    assert tries == [1, 1, 1]
