"""The HTTP API of executions."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from uuid_utils.compat import uuid7

from executions import dispatch, logs
from executions.logs import Line, Stream
from executions.models import Execution
from executions.runners.base import Ending, RunOutcome
from marketplace.models import AgentVersion
from tests.account_fixtures import ApiFor
from tests.factories.executions import ExecutionFactory, version_of
from tests.factories.marketplace import grant_access
from wallets.models import User

pytestmark = pytest.mark.django_db
URL = "/api/v1/executions"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 5}},
    "required": ["text"],
    "additionalProperties": False,
}


@pytest.fixture
def version(user: User) -> AgentVersion:
    version = version_of("agentnexus/x@sha256:" + "1" * 64, input_schema=SCHEMA)
    grant_access(user, version.agent)
    return version


def body(version: AgentVersion, /, **changes: Any) -> dict[str, Any]:
    return {"agent": version.agent.slug, "input": {"text": "hello"}, **changes}


def test_create(api: ApiFor, user: User, version: AgentVersion) -> None:
    response = api(user).post(URL, body(version))
    assert response.status_code == 201
    data = response.json()
    execution = Execution.objects.get()
    assert data["id"] == str(execution.pk)
    assert data["agent"] == {"slug": version.agent.slug, "name": version.agent.name}
    assert (data["version"], data["status"], data["input"], data["output"]) == (
        "1.0.0",
        "queued",
        {"text": "hello"},
        None,
    )
    assert execution.user == user


def test_create_twice_with_one_key(api: ApiFor, user: User, version: AgentVersion) -> None:
    first = api(user).post(URL, body(version), headers={"Idempotency-Key": "k"})
    again = api(user).post(URL, body(version), headers={"Idempotency-Key": "k"})
    other = api(user).post(URL, body(version, input={"text": "b"}), headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_create_of_a_chosen_version(api: ApiFor, user: User, version: AgentVersion) -> None:
    assert api(user).post(URL, body(version, version="1.0.0")).status_code == 201
    missing = api(user).post(URL, body(version, version="9.9.9"))
    assert (missing.status_code, missing.json()["code"]) == (409, "unknown_version")


@pytest.mark.parametrize(
    ("changes", "status", "code", "pointers"),
    [
        ({"input": {}}, 422, "input_invalid", ["/text"]),
        ({"input": {"text": "too long", "x": 1}}, 422, "input_invalid", ["/text", "/x"]),
        ({"input": [1]}, 422, "input_invalid", ["/"]),
        ({"input": None}, 422, "input_invalid", ["/"]),
        ({"agent": "nobody"}, 404, "unknown_agent", ["/agent"]),
        ({"agent": "Not A Slug"}, 400, "invalid", ["/agent"]),
        ({"agent": None}, 400, "invalid", ["/agent"]),
    ],
)
def test_create_refused(
    api: ApiFor, user: User, version: AgentVersion, changes: dict[str, Any], status: int, code: str, pointers: list[str]
) -> None:
    response = api(user).post(URL, body(version, **changes))
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert Execution.objects.count() == 0


def test_create_without_input_is_not_running_on_null(api: ApiFor, user: User, version: AgentVersion) -> None:
    response = api(user).post(URL, {"agent": version.agent.slug})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "/input")


@pytest.mark.parametrize(
    "raw",
    [
        "{",
        "[" * 100_000,
        '{"agent": "a", "input": ' + '{"a":' * 50_000 + "1" + "}" * 50_001,
        '{"input": NaN}',
        "[]",
        '"x"',
    ],
    ids=["cut off", "deep", "deep input", "nan", "list", "string"],
)
def test_bodies_that_are_no_request(api: ApiFor, user: User, version: AgentVersion, raw: str) -> None:
    response = api(user).post(URL, raw, content_type="application/json")
    assert response.status_code == 400


def test_create_needs_access_and_sign_in(api: ApiFor, stranger: User, version: AgentVersion) -> None:
    refused = api(stranger).post(URL, body(version))
    assert (refused.status_code, refused.json()["code"]) == (403, "no_entitlement")
    assert api(None).post(URL, body(version)).status_code == 401


def test_too_many(api: ApiFor, user: User, version: AgentVersion, settings: Settings) -> None:
    settings.EXECUTION_QUEUED_PER_USER = 3
    for _ in range(3):
        ExecutionFactory.create(user=user, status="running")
    refused = api(user).post(URL, body(version))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_executions")
    assert refused["Retry-After"] == "15"


def test_full_queue_asks_to_come_back(api: ApiFor, user: User, version: AgentVersion, settings: Settings) -> None:
    settings.EXECUTION_QUEUE_LENGTH = 2
    for _ in range(2):
        ExecutionFactory.create()
    refused = api(user).post(URL, body(version))
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert refused["Retry-After"] == "60"
    assert refused.json()["detail"] == "Too many runs are waiting already. Try again in a minute."


def test_priority_position_and_end_of_patience(api: ApiFor, user: User, version: AgentVersion) -> None:
    asked = timezone.now()
    first = api(user).post(URL, body(version) | {"priority": "low"}).json()
    assert (first["priority"], first["position"], first["cancel_after"]) == ("low", 1, None)
    second = api(user).post(URL, body(version), HTTP_CANCEL_AFTER="1h30m").json()
    assert (second["priority"], second["position"]) == ("normal", 1)
    assert abs(datetime.fromisoformat(second["cancel_after"]) - asked - timedelta(minutes=90)) < timedelta(seconds=10)
    third = api(user).post(URL, body(version) | {"cancel_after": 20}, HTTP_CANCEL_AFTER="1h").json()
    assert abs(datetime.fromisoformat(third["cancel_after"]) - asked - timedelta(seconds=20)) < timedelta(seconds=10)
    assert api(user).get(f"{URL}/{first['id']}").json()["position"] == 3
    listed = api(user).get(URL).json()["results"]
    assert [one["priority"] for one in listed] == ["normal", "normal", "low"]
    assert "position" not in listed[0]


@pytest.mark.parametrize("text", ["soon", "", "-5s", "1d", "4s", "8000h", "99999999"])
def test_senseless_end_of_patience(api: ApiFor, user: User, version: AgentVersion, text: str) -> None:
    refused = api(user).post(URL, body(version) | {"cancel_after": text})
    assert refused.status_code in {400, 422}
    assert Execution.objects.count() == 0


def test_nobody_makes_his_own_urgent(api: ApiFor, user: User, version: AgentVersion) -> None:
    assert api(user).post(URL, body(version) | {"priority": "urgent"}).status_code == 400


def test_list_is_mine_newest_first_without_documents(
    api: ApiFor, user: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    mine = [ExecutionFactory.create(user=user, input={"a": 1}) for _ in range(3)]
    ExecutionFactory.create()
    client = api(user)
    with django_assert_max_num_queries(8):
        rows = client.get(URL).json()["results"]
    assert [row["id"] for row in rows] == [str(one.pk) for one in reversed(mine)]
    assert "input" not in rows[0]
    assert "output" not in rows[0]


def test_list_filters(api: ApiFor, user: User) -> None:
    one = ExecutionFactory.create(user=user, status="succeeded")
    two = ExecutionFactory.create(user=user, status="running")

    def ids(query: str) -> list[str]:
        return [row["id"] for row in api(user).get(f"{URL}?{query}").json()["results"]]

    assert ids("status=succeeded") == [str(one.pk)]
    assert ids("status=succeeded&status=running") == [str(two.pk), str(one.pk)]
    assert ids(f"agent={two.agent.slug}") == [str(two.pk)]
    assert api(user).get(f"{URL}?status=bogus").status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", ""), ("post", "/cancel"), ("get", "/logs"), ("get", "/logs/download"), ("delete", "/documents")],
)
def test_others_and_unknown_ones_look_the_same(api: ApiFor, stranger: User, method: str, path: str) -> None:
    execution = ExecutionFactory.create()
    for target in (execution.pk, uuid7()):
        response = getattr(api(stranger), method)(f"{URL}/{target}{path}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert getattr(api(None), method)(f"{URL}/{execution.pk}{path}").status_code == 401
    execution.refresh_from_db()
    assert execution.status == "queued"


def test_cancel(api: ApiFor, user: User) -> None:
    execution = ExecutionFactory.create(user=user)
    for _ in range(3):
        response = api(user).post(f"{URL}/{execution.pk}/cancel")
        assert (response.status_code, response.json()["status"]) == (200, "cancelled")


def ended(user: User, count: int) -> Execution:
    execution = ExecutionFactory.create(user=user, status="running", attempt=1)
    execution = Execution.objects.select_related("version").get(pk=execution.pk)
    lines = [Line(seq, 0, Stream.STDOUT, f"\x1b[1mline {seq}") for seq in range(1, count + 1)]
    logs.append(execution.pk, 1, lines)
    dispatch.finish(execution, RunOutcome(Ending.EXITED, exit_code=0, output=b'{"b":1,"a":2}'), lines)
    return execution


def test_result_keeps_the_agents_order(api: ApiFor, user: User) -> None:
    data = api(user).get(f"{URL}/{ended(user, 0).pk}").json()
    assert (data["status"], list(data["output"].items())) == ("succeeded", [("b", 1), ("a", 2)])


def test_log_pages(api: ApiFor, user: User) -> None:
    execution = ended(user, 10)
    page = api(user).get(f"{URL}/{execution.pk}/logs?after=0&limit=4").json()
    assert ([line["seq"] for line in page["lines"]], page["last_seq"], page["complete"]) == ([1, 2, 3, 4], 10, False)
    assert page["lines"][0]["text"] == "line 1"
    rest = api(user).get(f"{URL}/{execution.pk}/logs?after=4").json()
    assert ([line["seq"] for line in rest["lines"]], rest["complete"]) == ([5, 6, 7, 8, 9, 10], True)
    beyond = api(user).get(f"{URL}/{execution.pk}/logs?after=10").json()
    assert (beyond["lines"], beyond["complete"]) == ([], True)
    assert api(user).get(f"{URL}/{execution.pk}/logs?after=-1").status_code == 400
    assert api(user).get(f"{URL}/{execution.pk}/logs?limit=9999").status_code == 400


def test_log_of_a_run_under_way_is_not_complete(api: ApiFor, user: User) -> None:
    execution = ExecutionFactory.create(user=user, status="running", attempt=1)
    logs.append(execution.pk, 1, [Line(1, 0, Stream.STDERR, "x")])
    assert api(user).get(f"{URL}/{execution.pk}/logs").json()["complete"] is False


def test_download_has_the_raw_lines(api: ApiFor, user: User) -> None:
    execution = ended(user, 2)
    response = api(user).get(f"{URL}/{execution.pk}/logs/download")
    assert response["Content-Disposition"] == f'attachment; filename="execution-{execution.pk}.log"'
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert b"".join(response) == (
        b"1970-01-01T00:00:00.000Z stdout \x1b[1mline 1\n1970-01-01T00:00:00.000Z stdout \x1b[1mline 2\n"
    )


def make_staff(user: User, *permissions: str) -> User:
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    made = User.objects.get(pk=user.pk)
    made.acts_as_staff = True
    return made


def test_staff_see_what_their_permissions_allow(api: ApiFor, user: User, stranger: User) -> None:
    execution = ended(user, 2)

    def seen(staff: User) -> list[Any]:
        one = api(staff).get(f"{URL}/{execution.pk}")
        return [one.status_code, one.json().get("output"), api(staff).get(f"{URL}/{execution.pk}/logs").status_code]

    assert seen(make_staff(stranger)) == [404, None, 404]
    assert seen(make_staff(stranger, "view_execution")) == [200, None, 404]
    assert seen(make_staff(stranger, "view_execution", "view_documents")) == [200, {"b": 1, "a": 2}, 200]


def test_schema_describes_every_route(api: ApiFor, user: User) -> None:
    schema = api(user).get("/api/schema/?format=json").json()
    routes = {path for path in schema["paths"] if path.startswith("/api/v1/executions")}
    assert routes == {
        "/api/v1/executions",
        "/api/v1/executions/{execution_id}",
        "/api/v1/executions/{execution_id}/cancel",
        "/api/v1/executions/{execution_id}/connections",
        "/api/v1/executions/{execution_id}/documents",
        "/api/v1/executions/{execution_id}/logs",
        "/api/v1/executions/{execution_id}/logs/download",
    }
