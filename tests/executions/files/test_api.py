"""Files over the API: what is taken, who gets what, and when it goes."""

import threading
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import AsyncClient
from django.utils import timezone
from pytest_django import Settings

from executions import dispatch, retention
from executions.errors import FilesFullError, InputInvalidError, TooManyFilesError
from executions.files import cleaning, links, storing, using
from executions.models import Execution, File, FileUse
from marketplace.contents import storage
from marketplace.models import AgentVersion
from tests.account_fixtures import ApiFor
from tests.factories.executions import ExecutionFactory, FileFactory, version_of
from tests.factories.marketplace import grant_access
from wallets.models import User
from wallets.signin import closing

pytestmark = pytest.mark.django_db
URL = "/api/v1/files"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
CSV = {"type": "string", "format": "file", "contentMediaType": "text/csv", "x-max-bytes": 100}


@pytest.fixture
def version(user: User) -> AgentVersion:
    """Takes a CSV file of at most 100 bytes, and any pictures."""
    pictures = {"type": "array", "items": {"type": "string", "format": "file", "contentMediaType": "image/*"}}
    version = version_of(
        "agentnexus/x@sha256:" + "1" * 64,
        input_schema={"type": "object", "properties": {"csv": CSV, "pictures": pictures}},
    )
    grant_access(user, version.agent)
    return version


def send(client: Any, content: bytes, name: str = "orders.csv", **more: str) -> Any:
    return client.post(URL, {"file": SimpleUploadedFile(name, content), **more}, format="multipart")


def test_upload_look_remove(api: ApiFor, user: User, stranger: User) -> None:
    sent = send(api(user), b"a,b\n1,2\n", "../Orders.csv")
    assert sent.status_code == 201, sent.json()
    said = sent.json()
    assert (said["name"], said["size"], said["media_type"]) == ("Orders.csv", 8, "text/csv")
    assert File.objects.get().stored_as != said["id"]
    assert api(user).get(f"{URL}/{said['id']}").json()["url"].startswith("http://localhost:8000/files/signed/")
    for call in (api(stranger).get, api(stranger).delete, api(None).get):
        assert call(f"{URL}/{said['id']}").status_code in {401, 404}
    name = File.objects.get().stored_as
    assert api(user).delete(f"{URL}/{said['id']}").status_code == 204
    assert api(user).get(f"{URL}/{said['id']}").status_code == 404
    cleaning.clean()
    assert (File.objects.count(), storage().exists(name)) == (0, False)


def test_what_is_not_taken(api: ApiFor, user: User, version: AgentVersion, settings: Settings) -> None:
    settings.FILE_BYTES = 1_000
    meant = {"agent": version.agent.slug, "field": "csv"}
    for content, name, more, code, sentence in (
        (b"x" * 1_001, "a.txt", {}, "file_too_large", "a.txt has 1,001 bytes; at most 1,000 are allowed."),
        (b"x" * 101, "a.csv", meant, "file_too_large", "a.csv has 101 bytes; at most 100 are allowed."),
        (PNG, "a.csv", meant, "file_type", "a.csv is image/png by its content; text/csv is asked for."),
        (
            b"x",
            "a.csv",
            {**meant, "field": "text"},
            "input_invalid",
            f"{version.agent.name} takes no file called text.",
        ),
    ):
        refused = send(api(user), content, name, **more)
        assert (refused.status_code, refused.json()["code"], refused.json()["detail"]) == (422, code, sentence)
    assert File.objects.count() == 0
    assert api(user).post(URL, {}, format="multipart").status_code == 400


def test_so_many_unused_files(api: ApiFor, user: User, settings: Settings) -> None:
    settings.FILES_UNUSED, settings.FILES_UNUSED_BYTES = 2, 100
    assert send(api(user), b"x" * 60).status_code == 201
    assert (refused := send(api(user), b"x" * 41)).status_code == 409
    assert refused.json()["code"] == "too_many_files"
    assert send(api(user), b"x").status_code == 201
    assert send(api(user), b"").status_code == 409
    # what a run has used counts no more
    FileUse.objects.create(execution=ExecutionFactory.create(), file=File.objects.earliest("pk"), direction="input")
    assert send(api(user), b"").status_code == 201


def test_all_files_of_a_person_have_a_limit(api: ApiFor, user: User, version: AgentVersion, settings: Settings) -> None:
    settings.FILES_BYTES_PER_USER = 10
    assert send(api(user), b"x" * 11).json()["code"] == "files_full"
    file = FileFactory.create(user=user, content=b"x" * 11)
    # an agent that gives no files runs on
    dispatch.request(user, version.agent, {"csv": str(file.pk)})
    version.output_schema = {"type": "object", "properties": {"a": {"type": "string", "format": "file"}}}
    version.save()
    with pytest.raises(FilesFullError) as refused:
        dispatch.request(user, version.agent, {"csv": str(file.pk)})
    assert refused.value.message.startswith("Your files take 11\xa0bytes of the 10\xa0bytes that you may have.")
    settings.FILES_BYTES_PER_USER = 0
    dispatch.request(user, version.agent, {"csv": str(file.pk)})


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_do_not_both_take_the_last_place(user: User, settings: Settings) -> None:
    settings.FILES_UNUSED = 1
    came: list[str] = []
    together = threading.Barrier(4)

    def one() -> None:
        together.wait()
        try:
            storing.upload(user, BytesIO(b"x"), "x")
            came.append("kept")
        except TooManyFilesError:
            came.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == ["kept", "refused", "refused", "refused"]


def test_a_run_takes_only_files_that_are_there_ones_own_and_of_the_kind(
    user: User, stranger: User, version: AgentVersion
) -> None:
    other, large = FileFactory.create(user=stranger), FileFactory.create(user=user, content=b"x" * 101, name="l.csv")
    picture, gone = FileFactory.create(user=user, media_type="image/png"), FileFactory.create(user=user)
    cleaning.delete([gone.pk])
    half = FileFactory.create(user=user, stored_at=None)
    for value in (other.pk, gone.pk, half.pk, "x", "../../x", large.pk, picture.pk):
        with pytest.raises(InputInvalidError) as refused:
            dispatch.request(user, version.agent, {"csv": str(value)})
        assert list(refused.value.fields) == ["/csv"]
    with pytest.raises(InputInvalidError) as refused:
        dispatch.request(user, version.agent, {"pictures": [str(picture.pk), str(other.pk)]})
    assert list(refused.value.fields) == ["/pictures/1"]
    assert FileUse.objects.count() == 0


def test_the_same_file_in_two_runs_goes_with_the_last(user: User, version: AgentVersion) -> None:
    file = FileFactory.create(user=user)
    runs = [dispatch.request(user, version.agent, {"csv": str(file.pk)}) for _ in range(2)]
    Execution.objects.update(status="succeeded", finished_at=timezone.now())
    assert cleaning.delete([file.pk]) == 0
    retention.delete_documents(runs[0].pk)
    assert File.objects.there().get() == file
    retention.delete_documents(runs[1].pk)
    assert not File.objects.there().exists()
    cleaning.clean()
    assert not storage().exists(file.stored_as)


def test_a_file_of_a_queued_run_is_not_removed(user: User, version: AgentVersion, api: ApiFor) -> None:
    file = FileFactory.create(user=user)
    dispatch.request(user, version.agent, {"csv": str(file.pk)})
    refused = api(user).delete(f"{URL}/{file.pk}")
    assert (refused.status_code, refused.json()["code"]) == (409, "file_in_use")
    assert storage().exists(file.stored_as)


def test_a_file_that_is_deleted_while_a_run_is_asked_for(user: User, version: AgentVersion, monkeypatch: Any) -> None:
    file = FileFactory.create(user=user)
    checked = using.check

    def then_deleted(*arguments: Any) -> Any:
        files = checked(*arguments)
        cleaning.delete([file.pk for file in files])
        return files

    monkeypatch.setattr(using, "check", then_deleted)
    with pytest.raises(InputInvalidError):
        dispatch.request(user, version.agent, {"csv": str(file.pk)})
    assert Execution.objects.count() == 0


def test_what_nobody_used_goes_after_a_day_and_what_closed_accounts_left_at_once(user: User, stranger: User) -> None:
    old, young, used = (FileFactory.create(user=user) for _ in range(3))
    FileUse.objects.create(execution=ExecutionFactory.create(user=user), file=used, direction="input")
    File.objects.exclude(pk=young.pk).update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    cleaning.clean()
    assert set(File.objects.all()) == {young, used}
    assert not storage().exists(old.stored_as)
    late = FileFactory.create(user=stranger)
    closing.close(user)
    assert set(File.objects.there()) == {late}
    User.objects.filter(pk=stranger.pk).update(closed_at=timezone.now())
    cleaning.clean()
    assert not File.objects.exists()


def test_content_that_cannot_be_removed_is_tried_again(user: User, monkeypatch: Any) -> None:
    file = FileFactory.create(user=user)
    cleaning.delete([file.pk])
    with monkeypatch.context() as broken:
        broken.setattr(type(storage()), "delete", lambda *_: (_ for _ in ()).throw(OSError("away")))
        assert cleaning.clean() == 0
    assert cleaning.clean() == 1
    assert not storage().exists(file.stored_as)


def test_staff_see_files_of_runs_with_the_permission_for_documents(api: ApiFor, user: User, staff: User) -> None:
    used, unused = FileFactory.create(user=user), FileFactory.create(user=user)
    run = ExecutionFactory.create(user=user)
    FileUse.objects.create(execution=run, file=used, direction="input")
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    staff.user_permissions.add(Permission.objects.get(codename="view_execution"))
    url = f"/api/v1/executions/{run.pk}"
    assert api(user).get(url).json()["files"][0]["id"] == str(used.pk)
    assert api(staff).get(url).json()["files"] == []
    assert api(staff).get(f"{URL}/{used.pk}").status_code == 404
    staff.user_permissions.add(Permission.objects.get(codename="view_documents"))
    assert api(staff).get(url).json()["files"][0]["direction"] == "input"
    assert api(staff).get(f"{URL}/{used.pk}").status_code == 200
    assert api(staff).get(f"{URL}/{unused.pk}").status_code == 404
    assert api(staff).delete(f"{URL}/{used.pk}").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_signed_addresses(settings: Settings) -> None:
    file = await sync_to_async(FileFactory.create)(name='a"b\r\n.html', media_type="text/html", content=b"<script>")
    picture = await sync_to_async(FileFactory.create)(name="p.png", media_type="image/png", content=PNG)
    svg = await sync_to_async(FileFactory.create)(name="p.svg", media_type="image/svg+xml", content=b"<svg/>")
    client = AsyncClient()

    async def get(address: str) -> Any:
        return await client.get(address)

    # whoever has it may save it, and no browser runs it here
    answer = await get(links.path(file))
    assert b"".join([piece async for piece in answer.streaming_content]) == b"<script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert "\n" not in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    # only plain images are shown
    for one, kind in ((picture, "image/png"), (svg, "application/octet-stream"), (file, "application/octet-stream")):
        answer = await get(links.path(one, inline=True))
        assert answer["Content-Type"] == kind
        assert answer["Content-Disposition"].startswith("inline" if kind == "image/png" else "attachment")
        answer.close()
    # not changed, not too late, not when it is gone
    address = links.path(file)
    assert (await get(address[:-3] + "xx/")).status_code == 404
    settings.FILE_URL_SECONDS = -1
    assert (await get(address)).status_code == 410
    settings.FILE_URL_SECONDS = 300
    await sync_to_async(cleaning.delete)([file.pk])
    assert (await get(address)).status_code == 410
    await sync_to_async(connections.close_all)()
