"""The attached stream of a container: input in, framed output out, without ever blocking."""

import select
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import docker

from executions.runners.base import Control
from executions.runners.docker.engine import engine_errors
from executions.runners.transcript import STDERR, STDOUT

CHUNK = 256 * 1024
_SOURCES = {1: STDOUT, 2: STDERR}


class Attachment:
    """Opened before the container starts, so that nothing is missed; closed before it is killed, for the engine may
    hang on a kill while somebody is attached and does not read. Without a document the input stays open until there is
    one to `give`."""

    def __init__(self, client: docker.APIClient, container: str, document: bytes | None) -> None:
        with engine_errors():
            self._file: Any = client.attach_socket(
                container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            )
        # The SDK gives a file over a Unix socket, and the socket itself otherwise.
        self._socket: socket.socket = getattr(self._file, "_sock", self._file)
        self._socket.setblocking(False)
        self._input = memoryview(document or b"")
        self._input_open = document is not None
        self._frames = bytearray()
        self.ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def give(self, document: bytes) -> None:
        """The input, of a container that was started without."""
        self._input = memoryview(document)
        self._input_open = True

    @property
    def fed(self) -> bool:
        """Whether all input is on its way to the agent."""
        return not self._input and not self._input_open

    def push(self) -> None:
        """Write as much input as is taken at once."""
        while self._input_open:
            left = len(self._input)
            self._write()
            if self._input_open and len(self._input) == left:
                return

    def step(self, control: Control, seconds: float) -> Iterator[tuple[str, bytes]]:
        """Wait at most `seconds` for something to do, write some input, and yield what came out as (source, bytes)."""
        poll = select.poll()  # select() itself ends at 1,024 open files
        poll.register(control, select.POLLIN)
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._input_open else 0))
        ready = dict(poll.poll(max(seconds, 0) * 1000)).get(self._socket.fileno(), 0)
        if ready & select.POLLOUT:
            self._write()
        if ready & ~select.POLLOUT:  # errors, and the end, are for reading to find
            yield from self._read()

    def _write(self) -> None:
        try:
            if self._input:
                self._input = self._input[self._socket.send(self._input[:CHUNK]) :]
            if not self._input:
                self._input_open = False
                self._socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:  # the agent ended, or closed its input, without reading it all
            self._input_open = False

    def _read(self) -> Iterator[tuple[str, bytes]]:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended = True
        self._frames += data
        start, size = 0, len(self._frames)
        while size - start >= 8:
            kind, length = struct.unpack_from(">BxxxL", self._frames, start)
            if size - start < 8 + length:
                break
            yield _SOURCES.get(kind, STDERR), bytes(self._frames[start + 8 : start + 8 + length])
            start += 8 + length
        del self._frames[:start]
