"""Executions in the admin."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from executions.models import Execution
from tests.factories.executions import ExecutionFactory
from wallets.models import User

pytestmark = pytest.mark.django_db
LIST = "admin:executions_execution_changelist"


def admin_client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="wallets.signin.backends.EmailBackend")
    return client


@pytest.fixture
def moderator(staff: User) -> User:
    """Staff who may look and stop, but not read documents."""
    staff.is_superuser = False
    staff.save()
    staff.user_permissions.set(Permission.objects.filter(codename__in=["view_execution", "change_execution"]))
    return User.objects.get(pk=staff.pk)


@pytest.mark.parametrize(
    "query",
    ["", "?status__exact=queued", "?reason__exact=exit", "?q=agent", "?q=0x0000000000000000000000000000000000000001"],
)
def test_list_filters_and_search(moderator: User, query: str) -> None:
    ExecutionFactory.create()
    ExecutionFactory.create(status="failed", reason="exit")
    assert admin_client(moderator).get(reverse(LIST) + query).status_code == 200


def test_search_finds_by_id_and_wallet(moderator: User) -> None:
    one, _ = ExecutionFactory.create(), ExecutionFactory.create()
    for query in (str(one.pk), one.user.primary_address, one.agent.slug):
        page = admin_client(moderator).get(reverse(LIST), {"q": str(query)})
        assert [row.pk for row in page.context["cl"].queryset] == [one.pk], query


def test_documents_are_hidden_without_the_permission(moderator: User, staff: User) -> None:
    execution = ExecutionFactory.create(
        status="succeeded", input={"private": "input-of-buyer"}, output={"private": "output-of-agent"}
    )
    url = reverse("admin:executions_execution_change", args=[execution.pk])
    hidden = admin_client(moderator).get(url).content.decode()
    assert "input-of-buyer" not in hidden
    assert "output-of-agent" not in hidden
    moderator.user_permissions.add(Permission.objects.get(codename="view_documents"))
    shown = admin_client(User.objects.get(pk=moderator.pk)).get(url).content.decode()
    assert "input-of-buyer" in shown
    assert "output-of-agent" in shown


def test_nothing_can_be_added_deleted_or_edited(moderator: User) -> None:
    execution = ExecutionFactory.create()
    client = admin_client(moderator)
    assert client.get(reverse("admin:executions_execution_add")).status_code == 403
    assert client.get(reverse("admin:executions_execution_delete", args=[execution.pk])).status_code == 403
    client.post(reverse("admin:executions_execution_change", args=[execution.pk]), {"status": "succeeded"})
    execution.refresh_from_db()
    assert execution.status == "queued"


def test_stop(moderator: User) -> None:
    queued, running = ExecutionFactory.create(), ExecutionFactory.create(status="running", attempt=1)
    ended = ExecutionFactory.create(status="succeeded")
    ids = [one.pk for one in (queued, running, ended)]
    answer = admin_client(moderator).post(
        reverse(LIST), {"action": "stop_executions", "_selected_action": ids}, follow=True
    )
    assert "2 executions asked to stop." in answer.content.decode()
    rows = dict(Execution.objects.values_list("pk", "status"))
    assert (rows[queued.pk], rows[running.pk], rows[ended.pk]) == ("cancelled", "running", "succeeded")
    running.refresh_from_db()
    assert (running.cancel_requested, running.error) == (True, "Stopped by the platform's staff.")
