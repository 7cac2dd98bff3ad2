"""Files in a bucket: on a real server, with the options of production; and what happens while it is away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from config.object_storage import bucket
from executions import retention
from executions.errors import FileError
from executions.files import cleaning, collecting, links, storing
from executions.models import Execution, File
from executions.runners.base import Ending, RunOutcome
from executions.runners.output_folder import OutputFolder
from executions.runners.redaction import Redactor
from executions.worker import patience
from executions.worker.specs import spec_of
from marketplace import contents
from marketplace.catalogue.modules.storing import name_of, read_module, store_module
from marketplace.errors import StorageAwayError
from tests.account_fixtures import ApiFor
from tests.executions.files.test_api import send
from tests.executions.runners.wasm.modules import ECHO
from tests.factories.executions import ExecutionFactory, version_of
from tests.object_storage import BUCKET, KEY, KEY_ID, ObjectStorage, object_storage
from wallets.models import User

pytestmark = pytest.mark.django_db
FILE = {"type": "string", "format": "file"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    with object_storage(tmp_path_factory.mktemp("objects")) as running:
        yield running


@pytest.fixture
def store(server: ObjectStorage, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> ObjectStorage:
    """The site keeps its files there."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    settings.FILES_S3_BUCKET = BUCKET
    private = bucket(BUCKET, prefix="site", region="us-east-1", endpoint=server.url, addressing="path")
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return server


def test_from_the_upload_to_its_deletion(store: ObjectStorage, user: User, api: ApiFor) -> None:
    # given: an upload larger than a part of a multipart upload, and an empty one
    large = bytes(range(256)) * 36 * 1024
    sent = send(api(user), large, 'Übersicht "1"\r\n.html')
    assert sent.status_code == 201, sent.json()
    empty = storing.upload(user, BytesIO(b""), "empty.txt")
    file = File.objects.get(pk=sent.json()["id"])
    assert store.names() == sorted(f"site/{one.stored_as}" for one in (file, empty))
    # then: its address leads into the bucket, is signed with what a browser is to do with it, and gives the content
    address = links.download(file).url
    got = requests.get(address, timeout=10)
    assert (got.status_code, got.content == large) == (200, True)
    for said in (
        "X-Amz-Expires=300",
        "response-content-type=application%2Foctet-stream",
        "response-content-disposition=attachment%3B",
    ):
        assert said in address
    # and: nobody can change what is signed, or go without
    for other in (
        address.replace("attachment", "inline"),
        address.replace("octet-stream", "xhtml"),
        address.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"),
        address.partition("?")[0],
    ):
        assert requests.get(other, timeout=10).status_code == 403
    assert requests.get(links.download(empty).url, timeout=10).content == b""
    # and: it goes with the documents of its run
    execution = ExecutionFactory.create(user=user, status=Execution.Status.SUCCEEDED, finished_at=timezone.now())
    execution.file_uses.create(file=file, direction="input")
    with pytest.MonkeyPatch.context() as later:
        later.setattr(cleaning, "UNUSED_FOR", timedelta(0))
        retention.delete_documents(execution.pk)
        cleaning.clean()
    assert (store.names(), File.objects.count()) == ([], 0)
    assert requests.get(address, timeout=10).status_code == 404


def test_an_address_that_is_over(store: ObjectStorage, user: User, settings: Settings) -> None:
    settings.FILE_URL_SECONDS = 1
    file = storing.upload(user, BytesIO(b"a"), "a.txt")
    address = links.download(file).url
    assert requests.get(address, timeout=10).status_code == 200
    deadline = timezone.now() + timedelta(seconds=10)
    while requests.get(address, timeout=10).status_code == 200:
        assert timezone.now() < deadline
    assert requests.get(address, timeout=10).status_code == 403
    cleaning.delete([file.pk])


def test_modules(store: ObjectStorage, user: User) -> None:
    module = store_module(user, ECHO)
    assert f"site/{name_of(module.sha256)}" in store.names()
    assert read_module(module.sha256) == ECHO


def test_a_storage_that_is_away(
    store: ObjectStorage, user: User, api: ApiFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, nothing half there, and everybody is told."""
    pauses: list[float] = []
    monkeypatch.setattr("executions.worker.patience.time", SimpleNamespace(sleep=pauses.append))
    version = version_of(
        "agentnexus/x@sha256:" + "1" * 64,
        input_schema={"type": "object", "properties": {"a": FILE}},
        output_schema={"type": "object", "properties": {"a": FILE, "b": FILE}},
    )
    kept = storing.upload(user, BytesIO(b"kept"), "kept.txt")
    execution = ExecutionFactory.create(version=version, user=user, input={"a": str(kept.pk)})
    execution.file_uses.create(file=kept, direction="input")
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")

    def collected() -> tuple[RunOutcome, Any]:
        outcome = RunOutcome(Ending.EXITED, exit_code=0, output=b'{"a": "a", "b": "b"}', folder=OutputFolder(tmp_path))
        assert outcome.folder is not None
        try:
            return patience.patiently(lambda: collecting.collect(execution, outcome, Redactor({})))
        finally:
            outcome.folder.close()

    before = store.names()
    store.stop()
    try:
        # an upload is refused with a sentence, and leaves nothing
        refused = send(api(user), b"x")
        assert (refused.status_code, refused.json()["code"]) == (503, "storage_away")
        assert refused.json()["detail"] == "The storage for files does not answer. Try again in a few minutes."
        page = Client().get(links.path(kept))
        assert (page.status_code, b"does not answer" in page.content) == (503, True)
        # a run waits for its input, and for its result to be taken, for a while
        (given,) = spec_of(execution).files
        with pytest.raises(StorageAwayError):
            given.open()
        with pytest.raises(StorageAwayError):
            collected()
        assert pauses == [*patience.PAUSES, *patience.PAUSES]
        assert list(File.objects.there()) == [kept]
        # a deletion goes on later
        gone = storing._row(user, File.Source.UPLOAD, "b.txt", storing.look(BytesIO(b"b"), "b.txt"))
        assert cleaning.delete([gone.pk]) == 1
        assert cleaning.clean() == 0
    finally:
        store.start()
    cleaning.clean()
    assert store.names() == before
    contents.remove(kept.stored_as)
    with pytest.raises(FileError, match="no longer in the platform's storage"):
        given.open()


def test_a_storage_that_comes_back_while_somebody_waits(store: ObjectStorage, user: User) -> None:
    file = storing.upload(user, BytesIO(b"kept"), "kept.txt")
    store.stop()
    with ThreadPoolExecutor(1) as waiting:
        read = waiting.submit(patience.patiently, lambda: contents.read(file.stored_as))
        store.start()
        with read.result() as content:
            assert content.read() == b"kept"
