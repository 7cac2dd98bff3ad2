"""Asking for an execution: what is checked, in which order, and what a repeated question gets."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from executions import dispatch
from executions.connections import redis_client
from executions.errors import (
    ExecutionError,
    IdempotencyConflictError,
    InputInvalidError,
    InvalidIdempotencyKeyError,
    NoEntitlementError,
    NoLiveVersionError,
    TooManyExecutionsError,
)
from executions.models import Execution
from marketplace.models import Agent, AgentVersion
from tests.factories.executions import ExecutionFactory, version_of
from tests.factories.marketplace import AgentFactory, AgentVersionFactory, grant_access
from wallets.models import User

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1},
        "words": {"type": "integer", "minimum": 1, "maximum": 500},
        "rows": {"type": "array", "items": {"type": "object", "required": ["a/b"]}},
    },
    "required": ["text"],
    "additionalProperties": False,
}
GOOD = {"text": "hello"}


@pytest.fixture
def version(db: None) -> AgentVersion:
    return version_of("agentnexus/x@sha256:" + "1" * 64, input_schema=SCHEMA)


@pytest.fixture
def buyer(user: User, version: AgentVersion) -> User:
    """`user` with access."""
    grant_access(user, version.agent)
    return user


def test_queues_and_wakes_a_worker_after_commit(
    buyer: User, version: AgentVersion, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        execution = dispatch.request(buyer, version.agent, GOOD)
        assert redis_client().llen("executions") == 0
    assert (execution.status, execution.version, execution.input) == ("queued", version, GOOD)
    assert (execution.attempt, execution.deadline_seconds) == (0, 300)
    messages: Any = redis_client().lrange("executions", 0, -1)
    assert len(messages) == 1
    assert str(execution.pk) not in messages[0].decode()


def test_without_broker_it_waits_for_the_sweep(
    buyer: User,
    version: AgentVersion,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr("executions.dispatch.queue.current_app.send_task", away)
    with django_capture_on_commit_callbacks(execute=True):
        execution = dispatch.request(buyer, version.agent, GOOD)
    assert execution.status == "queued"


def test_stranger_has_no_access(stranger: User, version: AgentVersion) -> None:
    with pytest.raises(NoEntitlementError) as refused:
        dispatch.request(stranger, version.agent, GOOD)
    assert refused.value.http_status == 403
    assert Execution.objects.count() == 0


def test_expired_access_is_none(stranger: User, version: AgentVersion) -> None:
    grant_access(stranger, version.agent, expires_at=1_700_000_000)
    with pytest.raises(NoEntitlementError):
        dispatch.request(stranger, version.agent, GOOD)


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({}, {"/text": "This field is required."}),
        ({"text": ""}, {"/text": "This must have at least 1 character."}),
        ({"text": 5}, {"/text": "This must be text."}),
        ({"text": "x", "words": 0}, {"/words": "This must be at least 1."}),
        ({"text": "x", "words": 1.5}, {"/words": "This must be a whole number."}),
        ({"text": "x", "more": 1}, {"/more": "There is no field of this name."}),
        ({"text": "x", "rows": [{"a/b": 1}, {}]}, {"/rows/1/a~1b": "This field is required."}),
        ([], {"/": "This must be an object."}),
        ("text", {"/": "This must be an object."}),
        (None, {"/": "This must be an object."}),
        ({"text": "\ud800"}, {"/text": "This text has a broken character (half of a surrogate pair)."}),
        ({"text": "x", "words": float("inf")}, {"/words": "This number is too large."}),
        (
            {"words": -1, "more": 1},
            {
                "/words": "This must be at least 1.",
                "/text": "This field is required.",
                "/more": "There is no field of this name.",
            },
        ),
    ],
)
def test_input_is_refused_by_member_before_anything_is_queued(
    buyer: User, version: AgentVersion, document: Any, fields: dict[str, str]
) -> None:
    with pytest.raises(InputInvalidError) as refused:
        dispatch.request(buyer, version.agent, document)
    assert refused.value.fields == fields
    assert Execution.objects.count() == 0


def test_input_that_is_too_deep(buyer: User, version: AgentVersion) -> None:
    deep: Any = []
    for _ in range(70):
        deep = [deep]
    with pytest.raises(InputInvalidError) as refused:
        dispatch.request(buyer, version.agent, {"text": deep})
    assert list(refused.value.fields.values()) == ["This is nested more than 64 levels deep."]


def test_input_that_is_too_large(buyer: User, version: AgentVersion, settings: Settings) -> None:
    settings.EXECUTION_INPUT_BYTES = 100
    fits = {"text": "x" * (100 - len('{"text":""}'))}
    assert dispatch.request(buyer, version.agent, fits).status == "queued"
    with pytest.raises(InputInvalidError) as refused:
        dispatch.request(buyer, version.agent, {"text": fits["text"] + "x"})
    assert (refused.value.code, refused.value.message) == (
        "input_too_large",
        "The input must be at most 100 bytes of JSON.",
    )


def test_nul_and_order_survive(buyer: User, version: AgentVersion) -> None:
    document = {"words": 2, "text": "a\x00b"}
    execution = dispatch.request(buyer, version.agent, document)
    execution.refresh_from_db()
    assert list(execution.input.items()) == list(document.items())


def test_withdrawn_foreign_and_missing_versions(buyer: User, version: AgentVersion) -> None:
    other = AgentVersionFactory.create()
    withdrawn = AgentVersionFactory.create(agent=version.agent, number="0.9.0", status="withdrawn")
    empty = AgentFactory.create(creator=buyer, status=Agent.Status.PUBLISHED)
    for agent, wanted, code in (
        (version.agent, withdrawn, "version_withdrawn"),
        (version.agent, other, "unknown_version"),
        (empty, None, "no_live_version"),
    ):
        with pytest.raises(NoLiveVersionError) as refused:
            dispatch.request(buyer, agent, GOOD, version=wanted)
        assert refused.value.code == code


def test_explicit_older_version(buyer: User, version: AgentVersion) -> None:
    older = AgentVersionFactory.create(agent=version.agent, number="0.9.0", input_schema=SCHEMA)
    assert dispatch.request(buyer, version.agent, GOOD).version == version
    assert dispatch.request(buyer, version.agent, GOOD, version=older).version == older


def test_suspended_agent_cannot_be_run_even_by_its_creator(version: AgentVersion) -> None:
    Agent.objects.filter(pk=version.agent_id).update(status=Agent.Status.SUSPENDED)
    agent = Agent.objects.get(pk=version.agent_id)
    with pytest.raises(NoLiveVersionError) as refused:
        dispatch.request(agent.creator, agent, GOOD)
    assert refused.value.code == "agent_suspended"


def test_limit_of_a_person_counts_unfinished_runs_only(buyer: User, version: AgentVersion, settings: Settings) -> None:
    settings.EXECUTION_QUEUED_PER_USER = 2
    ExecutionFactory.create(user=buyer, status="succeeded")
    ExecutionFactory.create(user=buyer, status="running")
    dispatch.request(buyer, version.agent, GOOD)
    with pytest.raises(TooManyExecutionsError) as refused:
        dispatch.request(buyer, version.agent, GOOD)
    assert refused.value.http_status == 429


def test_same_key_and_question_gives_the_first_execution(
    buyer: User, version: AgentVersion, settings: Settings
) -> None:
    settings.EXECUTION_QUEUED_PER_USER = 1
    first = dispatch.request(buyer, version.agent, {"text": "a", "words": 3}, idempotency_key="k")
    again = dispatch.request(buyer, version.agent, {"words": 3, "text": "a"}, idempotency_key="k")
    assert again.pk == first.pk
    assert Execution.objects.count() == 1


def test_same_key_for_something_else_conflicts(buyer: User, version: AgentVersion) -> None:
    dispatch.request(buyer, version.agent, {"text": "a"}, idempotency_key="k")
    for document, wanted in (({"text": "b"}, None), ({"text": "a"}, version)):
        with pytest.raises(IdempotencyConflictError) as refused:
            dispatch.request(buyer, version.agent, document, version=wanted, idempotency_key="k")
        assert refused.value.http_status == 409


def test_keys_of_two_users_do_not_meet(buyer: User, version: AgentVersion) -> None:
    mine = dispatch.request(buyer, version.agent, GOOD, idempotency_key="k")
    theirs = dispatch.request(version.agent.creator, version.agent, GOOD, idempotency_key="k")
    assert mine.pk != theirs.pk


@pytest.mark.parametrize("key", ["", "x" * 101, "naïve", "a\nb"])
def test_unusable_keys(buyer: User, version: AgentVersion, key: str) -> None:
    with pytest.raises(InvalidIdempotencyKeyError):
        dispatch.request(buyer, version.agent, GOOD, idempotency_key=key)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/schema"},
        {"$ref": "#"},
        {"type": "objekt"},
        {"properties": {"text": {"minLength": "x"}}},
    ],
)
def test_unusable_schema_is_the_creators_fault_not_a_server_error(schema: dict[str, Any], user: User) -> None:
    version = version_of("agentnexus/x@sha256:" + "1" * 64, input_schema=schema)
    with pytest.raises(InputInvalidError) as refused:
        dispatch.request(version.agent.creator, version.agent, GOOD)
    assert refused.value.message.endswith("Tell the agent's creator.")


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_do_not_pass_the_limit_or_share_a_key_twice(settings: Settings) -> None:
    settings.EXECUTION_QUEUED_PER_USER = 3
    version = version_of("agentnexus/x@sha256:" + "1" * 64, input_schema=SCHEMA)
    user = version.agent.creator

    def ask(key: str | None) -> str:
        try:
            return str(dispatch.request(user, version.agent, GOOD, idempotency_key=key).pk)
        except ExecutionError as exc:
            return exc.code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        same = set(pool.map(ask, ["k"] * 8))
        others = list(pool.map(ask, [None] * 8))
    assert len(same) == 1
    assert others.count("too_many_executions") == 6  # three in all
    assert Execution.objects.count() == 3
