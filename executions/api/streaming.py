"""The log as server-sent events, for programs that would rather read a response than open a socket."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_GET
from rest_framework.exceptions import APIException

from executions.access import again, may_read_documents, visible_execution
from executions.api.serializers import ExecutionSerializer
from executions.api.views import authenticate
from executions.following import Changed, Ended, Idle, Lines, follow
from executions.models import Execution
from wallets.api.authentication import bearer_credential
from wallets.models import User

# How often an open stream asks whether its reader may still read.
RECHECK_SECONDS = 30.0


@require_GET
async def stream_log(request: HttpRequest, execution_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """`status`, `lines` and `end` events as on the WebSocket. `?after=` or `Last-Event-ID` says where to go on. When
    the token, the key or the session ends, so does the stream."""
    found = await _open(request, execution_id)
    if isinstance(found, HttpResponse):
        return found
    after = _after(request)
    if after is None:
        return _problem(400, "invalid", "`after` must be the number of a line.")
    return StreamingHttpResponse(
        _events(request, found.pk, after),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(request: HttpRequest, execution_id: UUID, after: int) -> AsyncIterator[bytes]:
    checked = time.monotonic()
    async with aclosing(follow(execution_id, after)) as events:
        async for event in events:
            if time.monotonic() - checked > RECHECK_SECONDS:
                checked = time.monotonic()
                if isinstance(await _open(request, execution_id), HttpResponse):
                    return  # who comes back is told why
            match event:
                case Changed(execution):
                    yield _event("status", {"execution": await _shown(execution)})
                case Lines(last, lines):
                    yield f'id: {last}\nevent: lines\ndata: {{"lines": {lines}}}\n\n'.encode()
                case Ended(execution):
                    yield _event("end", {"execution": await _shown(execution)})
                case Idle():
                    yield b": still here\n\n"


def _event(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, default=str)}\n\n".encode()


@sync_to_async
def _open(request: HttpRequest, execution_id: UUID) -> Execution | HttpResponse:
    """The execution when the caller may read it, as of now, else the answer that says why not."""
    try:
        caller: User | None = authenticate(request)
    except APIException as exc:
        code = exc.get_codes()
        return _problem(exc.status_code, code if isinstance(code, str) else "not_authenticated", str(exc.detail))
    user = again(caller) if caller and _holds(request) else None
    if user is None:
        return _problem(401, "not_authenticated", "Sign in, or send an access token.")
    execution = visible_execution(user, execution_id)
    if execution is None or not may_read_documents(user, execution):
        return _problem(404, "not_found", "There is nothing at this address, or it is not yours to see.")
    return execution


def _holds(request: HttpRequest) -> bool:
    """Whether the session, which a request reads once, is still there; a token or a key is read each time."""
    if bearer_credential(request.headers.get("Authorization", "")):
        return True
    key = request.session.session_key
    return key is not None and request.session.exists(key)


@sync_to_async
def _shown(execution: Execution) -> dict[str, Any]:
    return dict(ExecutionSerializer(execution).data)


def _after(request: HttpRequest) -> int | None:
    text = request.headers.get("Last-Event-ID") or request.GET.get("after") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _problem(status: int, code: str, detail: str) -> JsonResponse:
    body = {"type": f"about:blank#{code}", "title": detail, "status": status, "detail": detail, "code": code}
    return JsonResponse(body, status=status, content_type="application/problem+json")
