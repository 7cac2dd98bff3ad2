"""Going on with a container whose worker is gone.

The engine's own copy of its output is read from the beginning through a new Transcript, and each stream's lines that
the log has already are passed over, compared one by one. Counting them by stream needs no clock, and the order between
the two streams, which the engine does not keep, does not matter. A copy that differs (it was too long and its
beginning is gone) is noticed, and the run is done anew.
"""

import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import docker
import structlog

from executions.runners.base import Seen, Sink
from executions.runners.docker.engine import engine_errors
from executions.runners.transcript import STDERR, STDOUT, Transcript

log = structlog.get_logger(__name__)
_SOURCES = {1: STDOUT, 2: STDERR}
_HEADER = 8
# How often it is looked whether to stop, and how long a container may be silent before we ask whether it lives: the
# engine has been seen to keep the stream open after the end.
_TICK = 0.1
_SILENCE = 2.0
# Frames read ahead of what is taken in.
_AHEAD = 1_000
# Each engine replaces what is not UTF-8 in its own way.
_REPLACED = re.compile("\N{REPLACEMENT CHARACTER}+")


class LostTrackError(Exception):
    """What the engine has is not what the log has."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a stream carried at once, and when (seconds since 1970)."""

    source: str
    data: bytes
    at: float


class Replay:
    """A Sink's `line` and `event`, passing over what was seen before."""

    def __init__(self, sink: Sink, seen: Seen) -> None:
        self._sink = sink
        self._left: Mapping[str, Iterator[str]] = {STDOUT: iter(seen.stdout), STDERR: iter(seen.stderr)}
        self._events = set(seen.events)

    def line(self, source: str, text: str, at: float) -> None:
        known = next(self._left[source], None)
        if known is None:
            self._sink.line(source, text, at)
        elif _plain(known) != _plain(text):
            raise LostTrackError(f"a line of {source} differs")

    def event(self, text: str) -> None:
        if text not in self._events:
            self._sink.event(text)

    def check_complete(self) -> None:
        """Raise LostTrackError when the engine has less than was seen."""
        if any(next(lines, None) is not None for lines in self._left.values()):
            raise LostTrackError("lines are missing")


class Follower:
    """Frames of a container's output from its beginning on, read by a thread of its own."""

    def __init__(self, client: docker.APIClient, container: str) -> None:
        self._client = client
        self._container = container
        self._frames: queue.Queue[Frame | None] = queue.Queue(_AHEAD)
        self._closing = threading.Event()
        with engine_errors():
            self._response: Any = client.get(
                f"{client.base_url}/v{client.api_version}/containers/{container}/logs",
                params={"follow": 1, "stdout": 1, "stderr": 1, "timestamps": 1},
                stream=True,
                timeout=(3, None),
            )
            self._response.raise_for_status()
        threading.Thread(target=self._read, name="reattached", daemon=True).start()

    def frames(self, stopped: Callable[[], bool]) -> Iterator[Frame]:
        """What comes, until the container's output ends or `stopped()`."""
        heard = time.monotonic()
        while not stopped():
            try:
                frame = self._frames.get(timeout=_TICK)
            except queue.Empty:
                if time.monotonic() - heard > _SILENCE:
                    if not self._lives():
                        return
                    heard = time.monotonic()
                continue
            if frame is None:
                return
            heard = time.monotonic()
            yield frame

    def close(self) -> None:
        self._closing.set()
        self._response.close()

    def _lives(self) -> bool:
        with engine_errors():
            return bool(self._client.inspect_container(self._container)["State"]["Running"])

    def _read(self) -> None:
        try:
            while len(header := self._response.raw.read(_HEADER)) == _HEADER:
                data = self._response.raw.read(int.from_bytes(header[4:], "big"))
                self._put(_frame(header[0], data))
        except Exception as exc:  # noqa: BLE001  the reader learns from the end of the frames, and asks the engine
            log.debug("reattached_stream_ended", error=type(exc).__name__)
        self._put(None)

    def _put(self, frame: Frame | None) -> None:
        while not self._closing.is_set():
            try:
                self._frames.put(frame, timeout=_TICK)
            except queue.Full:
                continue
            return


def follow(
    client: docker.APIClient,
    container: str,
    transcript: Transcript,
    stopped: Callable[[], bool],
    clock: "Clock",
) -> None:
    """Feed the transcript with everything the container has written and writes, until its end or `stopped()`."""
    follower = Follower(client, container)
    try:
        for frame in follower.frames(stopped):
            clock.now = frame.at
            transcript.feed(frame.source, frame.data)
    finally:
        follower.close()


class Clock:
    """The time at which what is being read was written."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def _frame(kind: int, data: bytes) -> Frame:
    stamp, _, text = data.partition(b" ")
    return Frame(_SOURCES.get(kind, STDERR), text, _seconds(stamp.decode("ascii", "replace")))


def _seconds(stamp: str) -> float:
    """RFC 3339 with nanoseconds."""
    try:
        whole, _, fraction = stamp.removesuffix("Z").partition(".")
        return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")
    except ValueError:
        return time.time()


def _plain(text: str) -> str:
    return _REPLACED.sub("\N{REPLACEMENT CHARACTER}", text)
