"""Viewers of a log that cost next to nothing, so that a benchmark measures the server: `python -m
tests.bench.log_viewers URL TOKEN COUNT`. They drop the connection and come back until the log ends, and print as JSON
what they saw.

A frame is looked into once; all other viewers that get the very same bytes are told by those bytes what is in them.
"""

import asyncio
import base64
import json
import os
import random
import re
import resource
import struct
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, cast
from urllib.parse import urlsplit

import uvloop

DROP_EVERY = (3.0, 9.0)  # seconds that a viewer stays
AGAIN_SECONDS = 0.05
KNOWN_FRAMES = 256
GIVE_UP_SECONDS = 300
SEQ = re.compile(rb'"seq": ?(\d+)')
STAMP = re.compile(rb"at=(\d+\.\d+) ")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame holds: consecutive lines or not, and when its first and last line were printed."""

    first: int
    last: int
    whole: bool
    printed: tuple[float, float]


@dataclass(slots=True)
class Viewer:
    """What one viewer saw."""

    last: int = 0
    gaps: int = 0
    repeats: int = 0
    disorder: int = 0
    connections: int = 0
    refused: int = 0
    ended: bool = False
    delays: list[float] = field(default_factory=list)

    def take(self, frame: Frame, opened: float) -> None:
        now = time.time()
        self.gaps += max(frame.first - self.last - 1, 0)
        self.repeats += max(self.last + 1 - frame.first, 0)
        self.disorder += not frame.whole
        self.last = max(self.last, frame.last)
        # What was printed while nobody was connected does not count.
        self.delays += [now - printed for printed in frame.printed if printed > opened]


class Connection(asyncio.Protocol):
    """One WebSocket, read and not written to after the handshake except for pongs."""

    known: ClassVar[OrderedDict[bytes, Frame | None]] = OrderedDict()

    def __init__(self, viewer: Viewer, request: bytes) -> None:
        self._viewer = viewer
        self._request = request
        self._buffer = bytearray()
        self._open = False
        self._opened = time.time()
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open and not self._shake_hands():
            return
        start = 0
        while (found := _frame_at(self._buffer, start)) is not None:
            opcode, begin, start = found
            self._take(opcode, bytes(memoryview(self._buffer)[begin:start]))
        del self._buffer[:start]

    def _shake_hands(self) -> bool:
        head, separator, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not separator:
            return False
        if b" 101 " not in head.split(b"\r\n")[0]:
            self._viewer.refused += 1
            self._transport.close()
        self._open, self._buffer, self._opened = True, bytearray(rest), time.time()
        return True

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self._transport.write(struct.pack(">BBxxxx", 0x8A, 0x80 | len(payload)) + payload)
        elif opcode == 8:
            self._transport.close()
        elif payload.startswith(b'{"type": "lines"'):
            if (frame := self._look(payload)) is not None:
                self._viewer.take(frame, self._opened)
        elif payload.startswith((b'{"type": "end"', b'{"type":"end"')):
            self._viewer.ended = True

    def _look(self, payload: bytes) -> Frame | None:
        if payload in self.known:
            return self.known[payload]
        numbers = [int(number) for number in SEQ.findall(payload)]
        stamps = [float(stamp) for stamp in STAMP.findall(payload)]
        whole = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        self.known[payload] = frame = Frame(numbers[0], numbers[-1], whole, (stamps[0], stamps[-1]))
        if len(self.known) > KNOWN_FRAMES:
            self.known.popitem(last=False)
        return frame


def _frame_at(buffer: bytearray, start: int) -> tuple[int, int, int] | None:
    """(opcode, begin, end) of the frame there (RFC 6455, 5.2), None when it is not complete."""
    if len(buffer) - start < 2:
        return None
    opcode, length, begin = buffer[start] & 0x0F, buffer[start + 1] & 0x7F, start + 2
    size = {126: 2, 127: 8}.get(length, 0)
    if len(buffer) - begin < size:
        return None
    if size:
        length = int.from_bytes(buffer[begin : begin + size], "big")
    begin += size
    return (opcode, begin, begin + length) if len(buffer) - begin >= length else None


async def _view(url: str, token: str, viewer: Viewer) -> None:
    parts = urlsplit(url)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not viewer.ended and time.monotonic() < deadline:
        viewer.connections += 1
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {parts.path}?after={viewer.last} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        ).encode()
        try:
            transport, connection = await asyncio.get_running_loop().create_connection(
                partial(Connection, viewer, request), str(parts.hostname), int(parts.port or 80)
            )
        except OSError:
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        await asyncio.wait([connection.closed], timeout=random.uniform(*DROP_EVERY))
        transport.abort()
        await asyncio.sleep(AGAIN_SECONDS)


async def _all(url: str, token: str, count: int) -> list[Viewer]:
    viewers = [Viewer() for _ in range(count)]
    await asyncio.gather(*(_view(url, token, viewer) for viewer in viewers))
    return viewers


def main(url: str, token: str, count: int) -> None:
    viewers = uvloop.run(_all(url, token, count))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seen = {
        "viewers": [
            {
                "last": one.last,
                "gaps": one.gaps,
                "repeats": one.repeats,
                "disorder": one.disorder,
                "connections": one.connections,
                "ended": one.ended,
                "delays": [round(delay, 4) for delay in one.delays],
            }
            for one in viewers
        ],
        "cpu": usage.ru_utime + usage.ru_stime,
    }
    print(json.dumps(seen))  # noqa: T201  for the benchmark


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
