"""The access matrix against every WebSocket."""

import re

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections

from config.asgi import application
from tests.access import world as worlds
from tests.access.matrix import SOCKETS, Row
from tests.access.world import PERSONS

WAIT = 20  # seconds; a machine may be busy


@pytest.mark.parametrize("row", SOCKETS, ids=str)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("person", PERSONS)
async def test_sockets(row: Row, person: str) -> None:
    # given the world, and the person's token
    world = await sync_to_async(worlds.build)()
    client = await sync_to_async(world.api)(person)
    token = client._credentials.get("HTTP_AUTHORIZATION", "")  # type: ignore[attr-defined]
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    browser = [(b"origin", b"http://localhost:8000"), (b"cookie", cookie.encode())]
    headers = [(b"authorization", token.encode())] if token else browser
    path = re.sub(r"<\w+:(\w+)>", lambda found: str(world.samples[found[1]]), row.name)
    # when it is opened
    socket = WebsocketCommunicator(application, f"/{path}", headers=headers)
    accepted, code = await socket.connect(timeout=WAIT)
    # then it brings something, or closes for want of a person (4401) or of a right (4403)
    if accepted:
        message = await socket.receive_output(timeout=WAIT)
        code = message.get("code")
    let_in = accepted and code is None
    assert let_in == (person in row.who), f"{row.name} as {person}: accepted {accepted}, code {code}"
    assert let_in or code in {4401, 4403}, code
    await socket.disconnect(timeout=WAIT)
    await sync_to_async(connections.close_all)()
