"""Tables of results for spreadsheets, and where a person stands today."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from executions import csv_tables, presentation
from executions.models import Execution
from executions.sharing import quotas
from tests.factories.executions import ExecutionFactory
from tests.factories.wallets import UserFactory

ROWS: list[dict[str, Any]] = [
    {"name": "=1+1", "n": -3, "big": 12345678901234567890, "of": {"a": [1]}},
    {"name": 'quo"te, and\nline', "n": 0.5, "new": True},
]


def test_values_are_exact_and_no_text_is_a_formula() -> None:
    text = csv_tables.render(ROWS)

    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text[1:], newline=""))) == [
        ["name", "n", "big", "of", "new"],
        ["'=1+1", "-3", "12345678901234567890", '{"a": [1]}', ""],
        ['quo"te, and\nline', "0.5", "", "", "true"],
    ]


@pytest.mark.parametrize(
    ("output", "member", "found"),
    [
        ({"rows": ROWS}, "rows", True),
        (ROWS, "", True),
        ({"rows": ROWS}, "", False),
        ({"rows": ROWS}, "other", False),
        ({"rows": [1, 2]}, "rows", False),
        ({"rows": []}, "rows", False),
        (None, "rows", False),
    ],
)
def test_only_lists_of_objects_are_tables(output: Any, member: str, found: bool) -> None:
    assert (csv_tables.rows_of(output, member) is not None) == found


def test_columns_of_numbers_are_known() -> None:
    (block,) = presentation.blocks([{"a": 1, "b": "1", "c": None, "d": True}, {"a": None, "b": 2, "c": None, "d": 1}])
    assert block.table is not None
    assert block.table.head == [("A", True), ("B", False), ("C", False), ("D", False)]


@pytest.mark.django_db
def test_a_table_is_its_owners_and_has_all_rows(client: Client) -> None:
    rows = [{"n": n} for n in range(presentation.MAX_ROWS + 1)]
    run = ExecutionFactory.create(status=Execution.Status.SUCCEEDED, output={"The rows!": rows})
    address = f"/executions/{run.pk}/table.csv?member=The%20rows!"
    client.force_login(run.user)
    assert address.partition("?")[0] in client.get(f"/executions/{run.pk}/").content.decode()

    answer = client.get(address)

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Content-Disposition"] == f'attachment; filename="{run.agent.slug}-the-rows-{run.pk}.csv"'
    assert answer.content.decode().count("\r\n") == len(rows) + 1
    client.force_login(UserFactory.create())
    assert client.get(address).status_code == 404


@pytest.mark.django_db
def test_the_runs_page_says_what_is_used_and_what_waits(client: Client, settings: Settings) -> None:
    settings.EXECUTION_DAILY_PER_USER = 3
    settings.EXECUTION_CONCURRENT_PER_USER = 2
    done = ExecutionFactory.create(status=Execution.Status.SUCCEEDED)
    user, agent = done.user, done.agent
    more: dict[str, Any] = {"user": user, "agent": agent, "version": done.version}
    ExecutionFactory.create(**more)
    ExecutionFactory.create(**more, status=Execution.Status.RUNNING)
    yesterday = timezone.now() - timedelta(days=2)
    ExecutionFactory.create(**more, status=Execution.Status.SUCCEEDED, pk=quotas.first_id_at(yesterday))
    ExecutionFactory.create(**more, status=Execution.Status.FAILED, reason=Execution.Reason.LOST)

    standing = quotas.standing(user)
    assert (standing.today, standing.waiting, standing.under_way, standing.left_today) == (3, 1, 1, 0)
    client.force_login(user)
    page = client.get("/executions/").content.decode()
    assert ("No more until 00:00 UTC." in page, "of 2 at a time" in page, "of 3" in page) == (True, True, True)
    settings.EXECUTION_DAILY_PER_USER = 0
    assert "no limit" in client.get("/executions/").content.decode()
