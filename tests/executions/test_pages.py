"""The pages of runs as their owner, a stranger, staff and an anonymous visitor see them."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from executions.models import Execution
from marketplace.models import Agent
from tests.factories.executions import ExecutionFactory, version_of
from tests.factories.marketplace import AgentFactory, PublishedAgentFactory, grant_access, image_of
from tests.pages import SignIn, said, text
from wallets.models import User

pytestmark = pytest.mark.django_db
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "title": "Text", "minLength": 3, "contentMediaType": "text/plain"},
        "count": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
        "loud": {"type": "boolean"},
        "tone": {"type": "string", "enum": ["plain", "formal"]},
        "words": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["text"],
    "additionalProperties": False,
}


@pytest.fixture
def agent() -> Agent:
    """On sale, with a field of every common kind."""
    return version_of(image_of("run"), input_schema=SCHEMA, example_input={"text": "An example.", "count": 2}).agent


@pytest.fixture
def holder(user: User, agent: Agent) -> User:
    grant_access(user, agent)
    return user


def run_page(agent: Agent) -> str:
    return reverse("executions:run", args=[agent.slug])


def detail(execution: Execution) -> str:
    return reverse("executions:detail", args=[execution.pk])


# --- asking for a run ---
def test_running_needs_a_person_and_access(client: Client, signed_in: SignIn, agent: Agent, stranger: User) -> None:
    assert client.get(run_page(agent))["Location"] == f"/?connect=1&next={run_page(agent)}"
    browser = signed_in(stranger)
    for response in (browser.get(run_page(agent)), browser.post(run_page(agent), {"text": "abc"})):
        assert response.status_code == 403
        assert "You have no access yet" in text(response)
        assert reverse("marketplace:buy", args=[agent.slug]) in text(response)
    assert not Execution.objects.exists()


def test_access_that_ended_is_told_apart(signed_in: SignIn, agent: Agent, user: User) -> None:
    grant_access(user, agent, expires_at=1_000_000_000)
    response = signed_in(user).get(run_page(agent))
    assert response.status_code == 403
    assert "Your access has ended" in text(response)


def test_a_suspended_agent_keeps_access_but_does_not_run(signed_in: SignIn, agent: Agent, holder: User) -> None:
    Agent.objects.filter(pk=agent.pk).update(status=Agent.Status.SUSPENDED)
    response = signed_in(agent.creator).get(run_page(agent))
    assert response.status_code == 409
    assert "Our staff suspended this agent" in text(response)


def test_a_draft_of_somebody_else_is_not_there(signed_in: SignIn, stranger: User) -> None:
    assert signed_in(stranger).get(run_page(AgentFactory.create())).status_code == 404


def test_the_form_has_a_control_for_each_member_of_the_schema(signed_in: SignIn, agent: Agent, holder: User) -> None:
    shown = text(signed_in(holder).get(run_page(agent)))
    for name, widget in {
        "text": "file-text",
        "count": "integer",
        "loud": "checkbox",
        "tone": "select",
        "words": "list",
    }.items():
        assert re.search(rf'name="{name}"[^>]*data-widget="{widget}"', shown), name
    assert 'value="3"' in shown
    assert "From 1 to 10." in shown
    assert 'id="example-document"' in shown
    assert "Load a file" in shown


def test_what_was_entered_becomes_the_input_of_a_run(signed_in: SignIn, agent: Agent, holder: User) -> None:
    data = {"text": "Hello\r\nworld", "count": "4", "loud": "true", "tone": '"formal"', "words": "a\nb"}
    response = signed_in(holder).post(run_page(agent), data | {"__mode": "form", "__key": "k"})
    execution = Execution.objects.get()
    assert response["Location"] == detail(execution)
    assert execution.input == {
        "text": "Hello\nworld",
        "count": 4,
        "loud": True,
        "tone": "formal",
        "words": ["a", "b"],
    }
    assert (execution.user, execution.agent, execution.status) == (holder, agent, Execution.Status.QUEUED)


def test_json_is_taken_as_it_is(signed_in: SignIn, agent: Agent, holder: User) -> None:
    body = {"__mode": "json", "__document": '{"text": "abc", "count": 10}', "__key": "k"}
    signed_in(holder).post(run_page(agent), body)
    assert Execution.objects.get().input == {"text": "abc", "count": 10}


def test_sending_the_form_twice_starts_one_run_and_another_input_another(
    signed_in: SignIn, agent: Agent, holder: User
) -> None:
    client = signed_in(holder)
    first = client.post(run_page(agent), {"text": "abc", "__key": "k"})
    again = client.post(run_page(agent), {"text": "abc", "__key": "k"})
    other = client.post(run_page(agent), {"text": "abcd", "__key": "k"})
    assert first["Location"] == again["Location"] != other["Location"]
    assert Execution.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"text": ""}, "This field is required."),
        ({"text": "ab"}, "This must have at least 3 characters."),
        ({"text": "abc", "count": "x"}, "Enter a whole number."),
        ({"text": "abc", "count": "11"}, "This must be at most 10."),
        ({"text": "abc", "tone": '"rude"'}, "Choose one of the offered values."),
        ({"__mode": "json", "__document": "{"}, "This is not a JSON document"),
        ({"__mode": "json", "__document": '{"text": 5}'}, "<code>/text</code>: This must be text."),
        ({"__mode": "json", "__document": '{"text": "abc", "more": 1}'}, "<code>/more</code>"),
    ],
)
def test_a_refused_input_keeps_what_was_typed_and_starts_nothing(
    signed_in: SignIn, agent: Agent, holder: User, data: dict[str, str], sentence: str
) -> None:
    response = signed_in(holder).post(run_page(agent), {"__key": "key-1", "words": "kept", **data})
    assert response.status_code == 422
    assert sentence in text(response)
    assert "key-1" in text(response)
    if "__mode" not in data:
        assert "kept</textarea>" in text(response)
        assert 'aria-invalid="true"' in text(response)
    assert not Execution.objects.exists()


def test_hostile_keys_are_not_an_error(signed_in: SignIn, agent: Agent, holder: User) -> None:
    for key in ("", "é" * 50, "\n", "x" * 5000):
        assert signed_in(holder).post(run_page(agent), {"text": "abc", "__key": key}).status_code in (302, 422)


def test_too_many_runs_at_once_are_refused_with_a_sentence(
    signed_in: SignIn, agent: Agent, holder: User, settings: Any
) -> None:
    settings.EXECUTION_QUEUED_PER_USER = 1
    client = signed_in(holder)
    client.post(run_page(agent), {"text": "abc", "__key": "a"})
    response = client.post(run_page(agent), {"text": "abc", "__key": "b"})
    assert response.status_code == 422
    assert "You have 1 unfinished run, as many as one may have." in text(response)


def test_running_again_starts_from_an_own_earlier_input_only(
    signed_in: SignIn, agent: Agent, holder: User, stranger: User
) -> None:
    mine = ExecutionFactory.create(user=holder, version=agent.live_version, input={"text": "my words"})
    theirs = ExecutionFactory.create(user=stranger, version=agent.live_version, input={"text": "their words"})
    client = signed_in(holder)
    assert "my words" in text(client.get(run_page(agent), {"from": str(mine.pk)}))
    assert "their words" not in text(client.get(run_page(agent), {"from": str(theirs.pk)}))
    assert client.get(run_page(agent), {"from": "nonsense"}).status_code == 200


def test_an_example_cannot_end_the_script_it_stands_in(signed_in: SignIn, user: User) -> None:
    evil = {"text": "</script><script>alert(1)</script>"}
    agent = version_of(image_of("x"), input_schema=SCHEMA, example_input=evil).agent
    grant_access(user, agent)
    assert "<script>alert(1)" not in text(signed_in(user).get(run_page(agent)))


# --- looking at runs ---
def test_the_list_shows_own_runs_only(client: Client, signed_in: SignIn, user: User) -> None:
    mine = ExecutionFactory.create(user=user)
    theirs = ExecutionFactory.create()
    shown = text(signed_in(user).get("/executions/"))
    assert detail(mine) in shown
    assert detail(theirs) not in shown
    assert client.get("/executions/")["Location"] == "/?connect=1&next=/executions/"


def test_the_list_costs_the_same_however_long(
    signed_in: SignIn, user: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ExecutionFactory.create_batch(8, user=user, version=version_of(image_of("y")))
    client = signed_in(user)
    with django_assert_max_num_queries(7):
        client.get("/executions/")


def test_a_run_is_its_owners_alone(client: Client, signed_in: SignIn, stranger: User) -> None:
    execution = ExecutionFactory.create(input={"secret": "mine"})
    other_pages = [detail(execution), reverse("executions:result", args=[execution.pk])]
    for address in other_pages:
        assert signed_in(execution.user).get(address).status_code == 200
        assert signed_in(stranger).get(address).status_code == 404
        assert client.get(address).status_code == 302
    assert signed_in(stranger).get(reverse("executions:detail", args=[uuid4()])).status_code == 404


def test_staff_see_the_state_but_not_the_data_unless_they_may(signed_in: SignIn, stranger: User) -> None:
    execution = ExecutionFactory.create(
        input={"secret": "buyer's words"}, output={"answer": "secret answer"}, status=Execution.Status.SUCCEEDED
    )
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="view_execution"))
    shown = text(signed_in(stranger).get(detail(execution)))
    assert "Succeeded" in shown
    assert "secret" not in shown
    assert "data-lines" not in shown
    stranger.user_permissions.add(Permission.objects.get(codename="view_documents"))
    assert "secret answer" in text(signed_in(stranger).get(detail(execution)))


def test_a_run_under_way_shows_its_progress_and_can_be_cancelled(signed_in: SignIn) -> None:
    execution = ExecutionFactory.create(status=Execution.Status.RUNNING)
    shown = text(signed_in(execution.user).get(detail(execution)))
    assert "data-progress" in shown
    assert re.search(r"<button[^>]*data-cancel\s*>", shown)
    assert "Waiting for the first line" in shown


def test_a_result_is_drawn_by_its_schema(signed_in: SignIn) -> None:
    version = version_of(
        image_of("z"),
        output_schema={
            "type": "object",
            "properties": {
                "report": {"type": "string", "contentMediaType": "text/markdown", "title": "Report"},
                "rows": {"type": "array", "title": "Findings"},
                "score": {"type": "number"},
            },
        },
    )
    output = {
        "report": "# Hi\n\n<script>alert(1)</script>",
        "rows": [{"line": 3, "what": "<b>bad</b>"}],
        "score": 12_345.5,
        "raw": {"a": [1, 2]},
        "long": "x" * 700,
    }
    execution = ExecutionFactory.create(version=version, output=output, status=Execution.Status.SUCCEEDED)
    shown = text(signed_in(execution.user).get(detail(execution)))
    assert "<h2>Hi</h2>" in shown
    assert "<script>alert" not in shown
    assert "&lt;b&gt;bad&lt;/b&gt;" in shown
    assert "12,345.5" in shown
    assert "data-json-tree" in shown
    assert 'data-name="long.txt"' in shown
    assert "Copy JSON" in shown


FAILURES = [
    (Execution.Reason.OUT_OF_MEMORY, "Try a smaller input."),
    (Execution.Reason.EXIT, "Check your input and run it again."),
    (Execution.Reason.BAD_OUTPUT, "The creator has to correct this."),
    (Execution.Reason.OUTPUT_LIMIT, "Try a smaller input"),
    (Execution.Reason.IMAGE, "The creator has to make the image available again."),
    (Execution.Reason.INFRASTRUCTURE, "This was our fault."),
    (Execution.Reason.LOST, "This was our fault."),
]


@pytest.mark.parametrize(("reason", "advice"), FAILURES)
def test_a_failure_says_what_happened_and_what_to_do(signed_in: SignIn, reason: Execution.Reason, advice: str) -> None:
    execution = ExecutionFactory.create(status=Execution.Status.FAILED, reason=reason, error="It went wrong.")
    shown = text(signed_in(execution.user).get(detail(execution)))
    assert str(reason.label).replace("'", "&#x27;") in shown
    assert "It went wrong." in shown
    assert advice in shown


def test_every_reason_of_failure_has_its_advice() -> None:
    assert {reason for reason, _ in FAILURES} == set(Execution.Reason) - {Execution.Reason.NONE}


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (Execution.Status.TIMED_OUT, "It did not finish within 30 seconds"),
        (Execution.Status.CANCELLED, "The run was stopped before it had a result."),
    ],
)
def test_other_ends_are_named(signed_in: SignIn, status: Execution.Status, sentence: str) -> None:
    execution = ExecutionFactory.create(status=status)
    assert sentence in text(signed_in(execution.user).get(detail(execution)))


def test_the_result_alone_is_a_piece_of_a_page(signed_in: SignIn) -> None:
    execution = ExecutionFactory.create(output={"answer": "42"}, status=Execution.Status.SUCCEEDED)
    shown = text(signed_in(execution.user).get(reverse("executions:result", args=[execution.pk])))
    assert "<html" not in shown
    assert "42" in shown


def test_pages_of_runs_have_no_inline_styles_or_handlers(signed_in: SignIn, agent: Agent, holder: User) -> None:
    client = signed_in(holder)
    client.post(run_page(agent), {"text": "abc", "__key": "k"})
    for address in (run_page(agent), detail(Execution.objects.get()), "/executions/"):
        content = client.get(address).content.decode()
        assert not re.search(r"\sstyle=", content)
        assert not re.search(r"\son[a-z]+=\"", content)


def test_creators_run_their_own(signed_in: SignIn) -> None:
    agent = PublishedAgentFactory.create()
    response = signed_in(agent.creator).post(run_page(agent), {"text": "abc", "__key": "k"})
    assert said(response) == []
    assert Execution.objects.get().user == agent.creator


# --- the form of a schema being written ---
def test_a_schema_being_written_is_drawn_as_a_form(client: Client, signed_in: SignIn, user: User) -> None:
    address = reverse("executions:form-preview")
    schema = '{"type": "object", "properties": {"n": {"type": "integer", "title": "How many"}}}'
    shown = text(signed_in(user).post(address, {"schema": schema}))
    assert "How many" in shown
    assert 'data-widget="integer"' in shown
    assert client.post(address, {"schema": schema}).status_code == 302


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ("{", "This is not JSON yet"),
        ("", "This is not JSON yet"),
        ('{"type": "string"}', "The top level must have"),
        ('{"type": "object", "properties": {"x": {"type": "nonsense"}}}', "/properties/x/type"),
    ],
)
def test_a_schema_with_faults_says_which(signed_in: SignIn, user: User, schema: str, sentence: str) -> None:
    response = signed_in(user).post(reverse("executions:form-preview"), {"schema": schema})
    assert response.status_code == 200
    assert sentence in text(response)
