"""The WebSocket on which a page watches an execution."""

import asyncio
import time
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from executions.access import again, may_read_documents, may_watch
from executions.api.serializers import ExecutionSerializer
from executions.following import Changed, Ended, Event, Idle, Lines, follow
from executions.models import Execution

log = structlog.get_logger(__name__)
FAILED, MALFORMED, ANONYMOUS, FORBIDDEN, UNKNOWN = 1011, 4400, 4401, 4403, 4404
# How often an open socket asks whether its user may still watch. (Signing out closes it at once, elsewhere.)
RECHECK_SECONDS = 30.0


class ExecutionConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """`/ws/executions/<id>/?after=<seq>`: a `status` message, every line after `after`, then what comes, then `end`.

    The socket is accepted before it is refused, so that the browser sees the code: 4400 malformed, 4401 not signed in,
    4403 not yours, 4404 unknown; 1011 when the platform failed and the client should connect again. Following is a task
    of its own: a slow client holds up nobody else, and a closed one ends it. Staff who may not read documents get the
    states only.
    """

    _task: asyncio.Task[None] | None = None
    _documents = False

    async def connect(self) -> None:
        await self.accept()
        execution_id: UUID = self.scope["url_route"]["kwargs"]["execution_id"]
        refusal = await self._refusal(execution_id)
        after = _after(self.scope["query_string"])
        if refusal or after is None:
            await self.close(refusal or MALFORMED)
            return
        self._task = asyncio.create_task(self._follow(execution_id, after))

    async def disconnect(self, code: int) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any) -> None:
        """Clients have nothing to say."""

    async def _follow(self, execution_id: UUID, after: int) -> None:
        checked = time.monotonic()
        try:
            async with aclosing(follow(execution_id, after)) as events:
                async for event in events:
                    if time.monotonic() - checked > RECHECK_SECONDS:
                        checked = time.monotonic()
                        if await self._refusal(execution_id):
                            await self.close(FORBIDDEN)
                            return
                    await self._tell(event)
        except Execution.DoesNotExist:
            await self.close(UNKNOWN)
        except Exception:
            log.exception("watching_failed", execution_id=str(execution_id))
            await self.close(FAILED)

    async def _tell(self, event: Event) -> None:
        match event:
            case Changed(execution):
                await self.send_json({"type": "status", "execution": await self._shown(execution)})
            case Lines(json=lines) if self._documents:
                await self.send(text_data=f'{{"type": "lines", "lines": {lines}}}')
            case Ended(execution):
                await self.send_json({"type": "end", "execution": await self._shown(execution)})
                await self.close(1000)
            case Lines() | Idle():
                pass

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _shown(self, execution: Execution) -> dict[str, Any]:
        return dict(ExecutionSerializer(execution, context={"documents": self._documents}).data)

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _refusal(self, execution_id: UUID) -> int:
        """The code to close with, 0 when the user may watch; read from the database, so that it may change."""
        user = self.scope["user"]
        if not user.is_authenticated:
            return ANONYMOUS
        current = again(user)
        execution = Execution.objects.filter(pk=execution_id).first()
        if current is None:
            return ANONYMOUS
        if execution is None:
            return UNKNOWN
        self._documents = may_read_documents(current, execution)
        return 0 if may_watch(current, execution) else FORBIDDEN


def _after(query: bytes) -> int | None:
    text = parse_qs(query.decode("latin-1")).get("after", ["0"])[-1]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
