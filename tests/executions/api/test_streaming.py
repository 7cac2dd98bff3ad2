"""The log as server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import AsyncClient, Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from executions import dispatch, logs
from executions.logs import Line, LogWriter, Stream
from executions.models import Execution
from executions.runners.base import Ending, RunOutcome
from tests.account_fixtures import access_token
from tests.factories.executions import ExecutionFactory
from wallets.models import User

pytestmark = pytest.mark.django_db(transaction=True)
make = database_sync_to_async(ExecutionFactory.create)


@pytest_asyncio.fixture(autouse=True)
async def _close_the_connection_of_the_async_thread() -> AsyncIterator[None]:
    yield
    await database_sync_to_async(lambda: connection.close())()


def url(execution_id: Any) -> str:
    return f"/api/v1/executions/{execution_id}/logs/stream"


async def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {await sync_to_async(access_token)(user)}"}


async def events(response: Any) -> AsyncIterator[tuple[str, str | None, Any]]:
    """(event, id, data) of each event."""
    buffer = ""
    async for chunk in response.streaming_content:
        buffer += chunk.decode()
        while "\n\n" in buffer:
            block, buffer = buffer.split("\n\n", 1)
            parts = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if parts:
                yield parts["event"], parts.get("id"), json.loads(parts["data"])


def finish(execution: Execution, lines: list[Line]) -> None:
    row = Execution.objects.select_related("version").get(pk=execution.pk)
    assert dispatch.finish(row, RunOutcome(Ending.EXITED, exit_code=0, output=b'{"a": 1}'), lines)


async def test_replay_follow_and_end(async_client: AsyncClient) -> None:
    execution = await make(status="running", attempt=1)
    with LogWriter(execution.pk, 1) as writer:
        for number in range(3):
            writer.write(Stream.STDOUT, str(number))
    response = await async_client.get(url(execution.pk), {"after": 1}, headers=await bearer(execution.user))
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    stream = events(response)
    assert (await anext(stream))[0] == "status"
    name, last, data = await anext(stream)
    assert (name, last, [line["seq"] for line in data["lines"]]) == ("lines", "3", [2, 3])
    await sync_to_async(finish)(execution, writer.lines)
    assert (await anext(stream))[2]["execution"]["status"] == "succeeded"
    name, _, data = await anext(stream)
    assert (name, data["execution"]["output"]) == ("end", {"a": 1})
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_reconnects_after_the_last_event_id(async_client: AsyncClient) -> None:
    execution = await make(status="running", attempt=1)
    lines = [Line(seq, 0, Stream.STDOUT, "x") for seq in range(1, 6)]
    await sync_to_async(finish)(execution, lines)
    headers = {**await bearer(execution.user), "Last-Event-ID": "3"}
    response = await async_client.get(url(execution.pk), headers=headers)
    seen = [line["seq"] async for name, _, data in events(response) if name == "lines" for line in data["lines"]]
    assert seen == [4, 5]


async def test_refused(async_client: AsyncClient, stranger: User, user: User) -> None:
    execution = await make(user=user)
    answers = [
        await async_client.get(url(execution.pk)),
        await async_client.get(url(execution.pk), headers={"Authorization": "Bearer nonsense"}),
        await async_client.get(url(execution.pk), headers=await bearer(stranger)),
        await async_client.get(url(uuid7()), headers=await bearer(user)),
        await async_client.get(url(execution.pk), {"after": "x"}, headers=await bearer(user)),
        await async_client.post(url(execution.pk), headers=await bearer(user)),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 404, 404, 400, 405]
    assert answers[2]["Content-Type"] == "application/problem+json"


async def test_browser_session_may_read_too(async_client: AsyncClient, user: User) -> None:
    execution = await make(user=user)
    await sync_to_async(dispatch.cancel)(user, execution.pk)
    await async_client.aforce_login(user, backend="wallets.signin.backends.WalletBackend")
    response = await async_client.get(url(execution.pk))
    assert [name async for name, _, _ in events(response)] == ["status", "end"]


async def test_ends_when_the_right_to_read_ends(
    async_client: AsyncClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executions.api.streaming.RECHECK_SECONDS", 0.0)
    execution = await make(user=user, status="running", attempt=1)
    response = await async_client.get(url(execution.pk), headers=await bearer(user))
    stream = events(response)
    assert (await anext(stream))[0] == "status"
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)
    assert [name async for name, _, _ in stream] == []


async def test_ends_with_the_session_and_with_the_token(
    async_client: AsyncClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executions.api.streaming.RECHECK_SECONDS", 0.0)
    execution = await make(user=user, status="running", attempt=1)
    await async_client.aforce_login(user, backend="wallets.signin.backends.WalletBackend")
    by_session = events(await async_client.get(url(execution.pk)))
    by_token = events(await async_client.get(url(execution.pk), headers=await bearer(user)))
    assert [(await anext(stream))[0] for stream in (by_session, by_token)] == ["status", "status"]
    await async_client.alogout()
    await user.token_families.aupdate(revoked_at=timezone.now())
    for stream in (by_session, by_token):
        assert [name async for name, _, _ in stream] == []


async def test_staff_go_on_reading(
    async_client: AsyncClient, client: Client, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executions.api.streaming.RECHECK_SECONDS", 0.0)
    await User.objects.filter(pk=stranger.pk).aupdate(is_staff=True)
    await stranger.user_permissions.aset(Permission.objects.filter(codename__in=["view_execution", "view_documents"]))
    execution = await make(status="running", attempt=1)
    await stranger.arefresh_from_db()
    await sync_to_async(client.force_login)(stranger)
    async_client.cookies = client.cookies
    stream = events(await async_client.get(url(execution.pk)))
    assert (await anext(stream))[0] == "status"
    await sync_to_async(logs.append)(execution.pk, 1, [Line(1, 0, Stream.STDOUT, "x")])
    assert (await anext(stream))[0] == "lines"
