"""Clients that watch an execution over the real channel layer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from executions.routing import websocket_urlpatterns
from wallets.models import User


class Socket(WebsocketCommunicator):  # type: ignore[misc]
    """A client with the patience a busy machine needs."""

    async def connect(self, timeout: float = 30) -> tuple[bool, Any]:  # noqa: ASYNC109  as in the class it extends
        answer: tuple[bool, Any] = await super().connect(timeout)
        return answer

    async def receive_json_from(self, timeout: float = 30) -> Any:  # noqa: ASYNC109  as in the class it extends
        return await super().receive_json_from(timeout)

    async def disconnect(self, code: int = 1000, timeout: float = 30) -> None:  # noqa: ASYNC109  as in the class it extends
        await super().disconnect(code, timeout)


def communicator(user: User | AnonymousUser, execution_id: UUID, query: str = "") -> Socket:
    """A WebSocket whose handshake was authenticated as `user`."""
    socket = Socket(URLRouter(websocket_urlpatterns), f"/ws/executions/{execution_id}/{query}")
    socket.scope["user"] = user
    return socket


@asynccontextmanager
async def watching(user: User | AnonymousUser, execution_id: UUID, after: int = 0) -> AsyncIterator[Socket]:
    """An accepted socket, disconnected at the end."""
    socket = communicator(user, execution_id, f"?after={after}")
    accepted, _ = await socket.connect()
    assert accepted
    try:
        yield socket
    finally:
        await socket.disconnect()


async def refused_with(user: User | AnonymousUser, execution_id: UUID, query: str = "") -> int:
    """The code a socket is closed with; it is accepted first, for a browser to see the code."""
    socket = communicator(user, execution_id, query)
    accepted, _ = await socket.connect()
    assert accepted
    code = await closed_with(socket)
    await socket.disconnect(code)
    return code


async def closed_with(socket: Any) -> int:
    """The close code, after whatever else is sent."""
    while True:
        message = await socket.receive_output(timeout=30)
        if message["type"] == "websocket.close":
            return int(message["code"])
