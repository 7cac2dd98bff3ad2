"""The WebSocket: who may watch, and that every line arrives once and in order."""

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser, Permission
from django.db import connection
from uuid_utils.compat import uuid7

from executions import dispatch, logs, notify
from executions.logs import Line, LogWriter, Stream
from executions.models import Execution
from executions.runners.base import Ending, RunOutcome
from tests.executions.watching import closed_with, refused_with, watching
from tests.factories.executions import ExecutionFactory
from wallets.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def _close_the_connection_of_the_async_thread() -> AsyncIterator[None]:
    yield
    await database_sync_to_async(lambda: connection.close())()


make = database_sync_to_async(ExecutionFactory.create)


def finish(execution: Execution, lines: list[Line]) -> None:
    execution = Execution.objects.select_related("version").get(pk=execution.pk)
    outcome = RunOutcome(Ending.EXITED, exit_code=0, output=b'{"answer": 42}')
    assert dispatch.finish(execution, outcome, lines)


def texts(first: int, last: int) -> list[Line]:
    return [Line(seq, 0, Stream.STDOUT, f"line {seq}") for seq in range(first, last + 1)]


async def test_replays_what_is_over_and_closes() -> None:
    execution = await make(status="running", attempt=1)
    await sync_to_async(finish)(execution, texts(1, 3))
    async with watching(execution.user, execution.pk, after=1) as socket:
        status = await socket.receive_json_from()
        assert (status["type"], status["execution"]["status"]) == ("status", "succeeded")
        lines = await socket.receive_json_from()
        assert [line["seq"] for line in lines["lines"]] == [2, 3]
        end = await socket.receive_json_from()
        assert (end["type"], end["execution"]["output"]) == ("end", {"answer": 42})
        assert await closed_with(socket) == 1000


async def test_follows_states_and_lines_as_they_come() -> None:
    execution = await make()
    async with watching(execution.user, execution.pk) as socket:
        assert (await socket.receive_json_from())["execution"]["status"] == "queued"
        await sync_to_async(dispatch.claim)(execution.pk, "w")
        assert (await socket.receive_json_from())["execution"]["status"] == "starting"
        await sync_to_async(dispatch.begin)(execution.pk, 1, "c")
        assert (await socket.receive_json_from())["execution"]["status"] == "running"
        with LogWriter(execution.pk, 1) as writer:
            writer.write(Stream.STDERR, "\x1b[1mhello")
            began = time.monotonic()
            (line,) = (await socket.receive_json_from())["lines"]
            assert time.monotonic() - began < 3
            assert (line["seq"], line["stream"], line["text"]) == (1, "stderr", "hello")
        await sync_to_async(finish)(execution, writer.lines)
        assert (await socket.receive_json_from())["execution"]["status"] == "succeeded"
        assert (await socket.receive_json_from())["type"] == "end"


async def test_lost_notices_only_cost_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels drops messages beyond its capacity without telling."""
    monkeypatch.setattr(notify, "_send", lambda *args: None)
    execution = await make(status="running", attempt=1)
    async with watching(execution.user, execution.pk) as socket:
        await socket.receive_json_from()
        await sync_to_async(logs.append)(execution.pk, 1, texts(1, 2))
        assert [line["seq"] for line in (await socket.receive_json_from())["lines"]] == [1, 2]
        await sync_to_async(finish)(execution, texts(1, 3))
        assert (await socket.receive_json_from())["execution"]["status"] == "succeeded"
        assert [line["seq"] for line in (await socket.receive_json_from())["lines"]] == [3]
        assert (await socket.receive_json_from())["type"] == "end"


async def read_to_end(socket: Any, seen: list[int], pause: float = 0) -> bool:
    """Collect line numbers; True once `end` came."""
    while True:
        message = await socket.receive_json_from()
        if message["type"] == "lines":
            seen += [line["seq"] for line in message["lines"]]
            await asyncio.sleep(pause)
        elif message["type"] == "end":
            return True


async def test_no_gap_no_duplicate_for_clients_that_come_and_go_under_load() -> None:
    total = 20_000
    execution = await make(status="running", attempt=1)
    dice = random.Random(7)

    def produce() -> None:
        with LogWriter(execution.pk, 1) as writer:
            for number in range(1, total + 1):
                writer.write(Stream.STDOUT if number % 3 else Stream.STDERR, f"line {number}")
                if number % 100 == 0:
                    time.sleep(0.01)
        finish(execution, writer.lines)
        connection.close()

    async def whole() -> list[int]:
        """Joins at some moment and stays."""
        await asyncio.sleep(dice.uniform(0, 1.5))
        seen: list[int] = []
        async with watching(execution.user, execution.pk) as socket:
            await read_to_end(socket, seen)
        return seen

    async def restless() -> list[int]:
        """Drops the connection again and again, and goes on after the last line it saw."""
        seen: list[int] = []
        for _ in range(200):
            async with watching(execution.user, execution.pk, after=len(seen)) as socket:
                try:
                    async with asyncio.timeout(dice.uniform(0.05, 0.6)):
                        if await read_to_end(socket, seen):
                            return seen
                except TimeoutError:
                    pass
        raise AssertionError("never saw the end")

    async def slow() -> list[int]:
        seen: list[int] = []
        async with watching(execution.user, execution.pk) as socket:
            await read_to_end(socket, seen, pause=0.05)
        return seen

    producer = threading.Thread(target=produce)
    producer.start()
    results = await asyncio.gather(*(whole() for _ in range(4)), *(restless() for _ in range(3)), slow())
    await sync_to_async(producer.join)()
    assert [seen == list(range(1, total + 1)) for seen in results] == [True] * 8


@pytest.mark.parametrize(
    ("who", "query", "code"),
    [("anonymous", "", 4401), ("stranger", "", 4403), ("owner", "?after=x", 4400), ("owner", "?after=-1", 4400)],
)
async def test_refused(who: str, query: str, code: int, stranger: User) -> None:
    execution = await make()
    user = {"anonymous": AnonymousUser(), "stranger": stranger, "owner": execution.user}[who]
    assert await refused_with(user, execution.pk, query) == code


async def test_unknown(user: User) -> None:
    assert await refused_with(user, uuid7()) == 4404


async def test_suspended_user_is_refused(user: User) -> None:
    execution = await make(user=user)
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)
    assert await refused_with(user, execution.pk) == 4401


async def test_socket_closes_when_the_right_to_watch_ends(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executions.consumers.RECHECK_SECONDS", 0.0)
    execution = await make(user=user, status="running", attempt=1)
    async with watching(user, execution.pk) as socket:
        await socket.receive_json_from()
        await User.objects.filter(pk=user.pk).aupdate(is_active=False)
        assert await closed_with(socket) == 4403


async def test_staff_without_the_permission_for_documents_see_states_only(stranger: User) -> None:
    await User.objects.filter(pk=stranger.pk).aupdate(is_staff=True)
    stranger.acts_as_staff = True
    permission = await Permission.objects.aget(codename="view_execution")
    await stranger.user_permissions.aadd(permission)
    execution = await make(status="running", attempt=1, input={"secret": 1})
    await sync_to_async(finish)(execution, texts(1, 3))
    async with watching(stranger, execution.pk) as socket:
        status, end = await socket.receive_json_from(), await socket.receive_json_from()
    assert (status["type"], end["type"]) == ("status", "end")
    assert (end["execution"]["input"], end["execution"]["output"]) == (None, None)


async def test_whatever_a_client_sends_is_ignored(user: User) -> None:
    execution = await make(user=user, status="running", attempt=1)
    async with watching(user, execution.pk) as socket:
        await socket.receive_json_from()
        await socket.send_to(text_data="{not json")
        await socket.send_to(bytes_data=b"\x00")
        await sync_to_async(logs.append)(execution.pk, 1, texts(1, 1))
        assert (await socket.receive_json_from())["lines"][0]["seq"] == 1


@pytest.mark.django_db(transaction=True)
async def test_place_in_the_queue_is_told_as_it_changes(user: User, stranger: User) -> None:
    ahead, mine = await sync_to_async(two_waiting)(stranger, user)
    async with watching(user, mine.pk) as socket:
        first = await socket.receive_json_from()
        assert (first["execution"]["status"], first["execution"]["position"]) == ("queued", 2)
        await sync_to_async(dispatch.cancel)(stranger, ahead.pk)
        second = await socket.receive_json_from()
        assert second["execution"]["position"] == 1


def two_waiting(*people: User) -> list[Execution]:
    return [ExecutionFactory.create(user=person) for person in people]
