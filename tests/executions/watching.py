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


def communicator(user: User | AnonymousUser, execution_id: UUID | str, query: str = "") -> Any:
    """A WebSocket whose handshake was authenticated as `user`."""
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/executions/{execution_id}/{query}")
    socket.scope["user"] = user
    return socket


@asynccontextmanager
async def watching(user: User | AnonymousUser, execution_id: UUID, after: int = 0) -> AsyncIterator[Any]:
    """An accepted socket, disconnected at the end."""
    socket = communicator(user, execution_id, f"?after={after}")
    accepted, _ = await socket.connect()
    assert accepted
    try:
        yield socket
    finally:
        await socket.disconnect()


async def closed_with(socket: Any) -> int:
    """The close code, after whatever else is sent."""
    while True:
        message = await socket.receive_output(timeout=5)
        if message["type"] == "websocket.close":
            return int(message["code"])
