"""WebSocket handshakes: who may connect, as whom, and until when."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from channels.security.websocket import OriginValidator, WebsocketDenier
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from wallets.credentials import tokens
from wallets.errors import TokenError
from wallets.models import User
from wallets.signin import presence
from wallets.signin.models import MAY_ACT
from wallets.signin.rights import with_rights

Scope = MutableMapping[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[Any]]

# "Authentication is over or was never there", in the range that applications define (RFC 6455, 7.4.2).
CLOSE_UNAUTHENTICATED = 4401
CLOSE_TRY_AGAIN = 1013


class SocketOriginValidator(OriginValidator):  # type: ignore[misc]
    """Browsers must come from an allowed origin; a program without Origin header must bring a bearer token.

    A page can neither drop the Origin header nor set Authorization, and with a token no cookie is looked at.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        origins = _header(scope, b"origin")
        if len(origins) > 1:
            return await WebsocketDenier()(scope, receive, send)
        if not origins and bearer_of(scope) is not None:
            return await self.application(scope, receive, send)
        return await super().__call__(scope, receive, send)

    def valid_origin(self, parsed_origin: Any) -> bool:
        """Whether the origin is on the list. What does not even parse (a port that is no number) is not."""
        try:
            return bool(super().valid_origin(parsed_origin))
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Presence:
    """Whom a socket belongs to, the sign-in it hangs on, and when that ends by itself."""

    user: User
    name: str
    expires_at: datetime | None


class AuthMiddleware:
    """Sets `scope["user"]`, and closes the socket with 4401 when the sign-in it was opened with ends."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        presence_found = await self._identify(scope)
        scope = dict(scope, user=presence_found.user if presence_found else AnonymousUser())
        if presence_found is None:
            return await self.inner(scope, receive, send)
        return await _guard(self.inner, scope, receive, send, presence_found)

    async def _identify(self, scope: Scope) -> Presence | None:
        credential = bearer_of(scope)
        if credential is not None:
            found: Presence | None = await _by_token(credential)
            return found
        user = await get_user(scope)
        user, key = await _session_of(user, scope["session"])
        if not isinstance(user, User) or not key:
            return None
        return Presence(user, presence.session_name(key), None)


def JwtOrSessionAuthMiddleware(inner: Application) -> Application:  # noqa: N802  named like the classes it stacks
    """`Authorization: Bearer` if given, else the browser's session cookie."""
    stack: Application = CookieMiddleware(SessionMiddleware(AuthMiddleware(inner)))
    return stack


def bearer_of(scope: Scope) -> str | None:
    """The bearer credential of a handshake, or None."""
    for value in _header(scope, b"authorization"):
        scheme, _, credential = value.decode("latin1").strip().partition(" ")
        if scheme.lower() == "bearer":
            return credential.strip()
    return None


def _header(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope.get("headers", []) if key.lower() == name]


@database_sync_to_async  # type: ignore[untyped-decorator]
def _session_of(user: User | AnonymousUser, session: Any) -> tuple[User | AnonymousUser, str | None]:
    return with_rights(user, session), session.session_key


@database_sync_to_async  # type: ignore[untyped-decorator]
def _by_token(credential: str) -> Presence | None:
    try:
        found = tokens.authenticate(credential)
    except TokenError:
        return None
    return Presence(found.user, presence.family_name(found.family.pk), found.expires_at)


async def _guard(inner: Application, scope: Scope, receive: Receive, send: Send, owner: Presence) -> Any:
    """Run the consumer until it ends, or until the sign-in does: then the client is closed and the consumer told."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    group = presence.group_of(owner.user)
    await layer.group_add(group, channel)
    ended = asyncio.create_task(_until_end(layer, channel, owner))
    closed = False

    async def guarded_receive() -> Message:
        nonlocal closed
        incoming = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({incoming, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not incoming.done():
                incoming.cancel()
        if not ended.done():
            return incoming.result()
        if not closed:
            closed = True
            await send({"type": "websocket.close", "code": ended.result()})
        return {"type": "websocket.disconnect", "code": ended.result()}

    async def guarded_send(message: Message) -> None:
        if not closed:
            await send(message)

    try:
        # Whatever ended between the handshake's look and joining the group was announced to nobody.
        if not await _still_valid(scope, owner):
            return await WebsocketDenier()(scope, receive, send)
        return await inner(scope, guarded_receive, guarded_send)
    finally:
        ended.cancel()
        await layer.group_discard(group, channel)


@database_sync_to_async  # type: ignore[untyped-decorator]
def _still_valid(scope: Scope, owner: Presence) -> bool:
    credential = bearer_of(scope)
    if credential is not None:
        try:
            tokens.authenticate(credential)
        except TokenError:
            return False
        return True
    session = scope["session"]
    return bool(session.exists(session.session_key)) and User.objects.filter(pk=owner.user.pk, **MAY_ACT).exists()


async def _until_end(layer: Any, channel: str, owner: Presence) -> int:
    """Wait for the end of the sign-in; returns the code to close the socket with."""
    remaining = (owner.expires_at - timezone.now()).total_seconds() if owner.expires_at else None
    try:
        async with asyncio.timeout(remaining):
            while True:
                message = await layer.receive(channel)
                if message["type"] == "session.ended" and message["name"] in (None, owner.name):
                    return CLOSE_UNAUTHENTICATED
    except TimeoutError:
        return CLOSE_UNAUTHENTICATED
    except (redis.RedisError, OSError):
        # We would no longer hear of the end; the client comes back and is judged anew.
        return CLOSE_TRY_AGAIN
