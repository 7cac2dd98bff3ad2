"""The bound on request bodies."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from config.body_limit import BodyLimit

Message = MutableMapping[str, Any]


async def reads_all(scope: Message, receive: Any, send: Any) -> None:
    """An application that takes the whole body first, as Django does."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


@pytest.mark.parametrize(
    ("headers", "pieces", "status"),
    [
        ([(b"content-length", b"10")], [b"x" * 10], 200),
        ([(b"content-length", b"11")], [], 413),
        ([], [b"x" * 6, b"x" * 4], 200),
        ([], [b"x" * 6, b"x" * 5], 413),
        ([(b"content-length", b"1")], [b"x" * 11], 413),
    ],
)
async def test_what_is_larger_is_refused_however_it_comes(
    headers: list[tuple[bytes, bytes]], pieces: list[bytes], status: int
) -> None:
    sent: list[Message] = []
    left = list(pieces)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyLimit(reads_all, 10)({"type": "http", "headers": headers}, receive, send)
    assert sent[0]["status"] == status
    assert status == 200 or b"at most 10 bytes" in sent[1]["body"]
