"""Files that an agent left, opened without believing anything it says about them.

Whatever writes there is hostile: no link is followed, nothing is opened that could make the reader wait, and nothing is
read that is larger than it may be. See openat(2), open(2).
"""

import os
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

_FOLDERS = 8
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeFileError(Exception):
    """The file is not taken; the message says why, without its name."""


class OutputFolder:
    """The folder, held by a descriptor: it stays readable when its mount is gone, until it is closed. To be read when
    everything that could write there has ended. Raises OSError when there is no such folder."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, _FLAGS | os.O_DIRECTORY)

    def open(self, name: str, most: int) -> BinaryIO:
        """The regular file of at most `most` bytes at `name`, a path relative to the folder. Raises UnsafeFileError."""
        *folders, last = _parts(name)
        with ExitStack() as stack:
            at = self._descriptor
            for folder in folders:
                at = _open(folder, _FLAGS | os.O_DIRECTORY, at)
                stack.callback(os.close, at)
            descriptor = _open(last, _FLAGS | os.O_NONBLOCK | os.O_NOCTTY, at)
        try:
            _check(os.fstat(descriptor), most)
        except BaseException:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "rb")

    def close(self) -> None:
        """Let go of it. Once is enough, twice is no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _parts(name: str) -> list[str]:
    parts = name.removeprefix("./").split("/")
    if not name or name.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        raise UnsafeFileError("its path does not lead to a place below the output folder")
    if not name.isprintable():
        raise UnsafeFileError("its name has characters that cannot be shown")
    if len(parts) > _FOLDERS or any(len(part.encode()) > 255 for part in parts):
        raise UnsafeFileError("its path is too long")
    return parts


def _open(name: str, flags: int, at: int) -> int:
    try:
        return os.open(name, flags, dir_fd=at)
    except FileNotFoundError:
        raise UnsafeFileError("there is no such file in the output folder") from None
    except OSError:
        # ELOOP of a link, ENXIO of a socket, EACCES of a device: the mount has none.
        raise UnsafeFileError("it is a link or something else that is not a plain file") from None


def _check(found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeFileError("it is not a plain file")
    if found.st_nlink != 1:
        raise UnsafeFileError("it has more than one name (a hard link)")
    if found.st_size > most:
        raise UnsafeFileError(f"it has {found.st_size:,} bytes; at most {most:,} are allowed")
    if found.st_blocks * 512 < found.st_size:
        raise UnsafeFileError("it has holes (a sparse file)")
