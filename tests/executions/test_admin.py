"""Executions in the admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from executions.models import Execution, FileUse, Orphan
from tests.factories.executions import ExecutionFactory, FileFactory, NodeFactory
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


def test_staff_stop_a_run_with_a_reason_that_its_owner_and_the_history_see(moderator: User) -> None:
    execution = ExecutionFactory.create()
    act(moderator, LIST, "stop_executions", execution.pk, "Mines coins.")
    execution.refresh_from_db()
    assert (execution.status, execution.error) == ("cancelled", "Stopped by the platform's staff. Mines coins.")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (
        moderator,
        str(execution.pk),
        "Stopped. Mines coins.",
    )


def test_staff_make_a_waiting_run_urgent(moderator: User) -> None:
    waiting, over = ExecutionFactory.create(), ExecutionFactory.create(status="succeeded")
    act(moderator, LIST, "make_urgent", waiting.pk, "Demo.")
    act(moderator, LIST, "make_urgent", over.pk, "")
    waiting.refresh_from_db()
    over.refresh_from_db()
    assert (waiting.priority, over.priority) == (2, 0)
    assert LogEntry.objects.get().get_change_message() == "Made urgent. Demo."


def test_nodes_are_taken_out_of_service_and_back(staff: User) -> None:
    node = NodeFactory.create(name="one", images={"sha256:" + "1" * 64: 1024})
    ExecutionFactory.create(status="running", attempt=1, node="one")
    nodes = "admin:executions_node_changelist"
    page = admin_client(staff).get(reverse(nodes)).content.decode()
    assert "1 of 4" in page
    detail = admin_client(staff).get(reverse("admin:executions_node_change", args=["one"])).content.decode()
    assert "sha256:" + "1" * 64 in detail
    for name, state in (("cordon_nodes", "cordoned"), ("drain_nodes", "draining"), ("return_nodes", "ready")):
        act(staff, nodes, name, node.pk, "New disk.")
        node.refresh_from_db()
        assert node.state == state
    messages = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert messages == ["Cordoned. New disk.", "Drained. New disk.", "Returned to service. New disk."]


def test_who_may_not_change_nodes_cannot(moderator: User) -> None:
    node = NodeFactory.create()
    assert act(moderator, "admin:executions_node_changelist", "cordon_nodes", node.pk, "") == 403
    node.refresh_from_db()
    assert node.state == "ready"


def test_removed_orphans_are_listed(staff: User) -> None:
    Orphan.objects.create(
        node="one", container_id="c" * 64, execution_id=ExecutionFactory.create().pk, attempt=2, why="x"
    )
    page = admin_client(staff).get(reverse("admin:executions_orphan_changelist"))
    assert "c" * 64 in page.content.decode()


def act(user: User, page: str, name: str, key: object, reason: str) -> int:
    """Do an action of a list's on one row; the status of the answer."""
    data = {"action": name, "_selected_action": [str(key)], "reason": reason}
    return admin_client(user).post(reverse(page), data).status_code


def test_files_are_listed_without_their_names(user: User, staff: User) -> None:
    used, _ = FileFactory.create(user=user, name="secret-plan.csv"), FileFactory.create(user=user)
    FileUse.objects.create(execution=ExecutionFactory.create(user=user), file=used, direction="input")
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    staff.user_permissions.add(Permission.objects.get(codename="view_file"))
    client = admin_client(staff)
    counts = {"": 2, "?state=used": 1, "?state=unused": 1, "?state=deleted": 0, f"?q={used.pk}": 1}
    for query, count in counts.items():
        page = client.get(f"/admin/executions/file/{query}")
        assert page.context["cl"].result_count == count, query
        assert "secret-plan" not in page.content.decode()
    assert "secret-plan" not in client.get(f"/admin/executions/file/{used.pk}/change/").content.decode()
    staff.user_permissions.add(Permission.objects.get(codename="view_documents"))
    assert "secret-plan" in client.get(f"/admin/executions/file/{used.pk}/change/").content.decode()
