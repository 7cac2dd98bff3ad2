"""A bound on request bodies, before Django writes any of them to disk."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class _TooLargeError(Exception):
    pass


class BodyLimit:
    """Passes on to `application` what has at most `most` bytes, and answers 413 to the rest.

    Django takes a whole body from the server before any view sees it; only forms and JSON have a limit there.
    """

    def __init__(self, application: Application, most: int) -> None:
        self._application = application
        self._most = most

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        announced = dict(scope.get("headers", ())).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > self._most:
            await self._refuse(send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise _TooLargeError
            return message

        try:
            await self._application(scope, counted, send)
        except _TooLargeError:  # raised while Django takes the body, so nothing has been answered
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        sentence = f"A request may have at most {self._most:,} bytes."
        code = "request_too_large"
        body = {"type": f"about:blank#{code}", "title": sentence, "status": 413, "detail": sentence, "code": code}
        headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})
