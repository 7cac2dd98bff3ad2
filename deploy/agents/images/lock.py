"""One build at a time, whatever the number of threads and processes."""

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_threads = threading.RLock()
_depth = 0


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other build runs. A thread that holds the lock may take it again.

    Two builds of the same thing at once would each make an image, and one of the images would lose its name.
    """
    global _depth
    with _threads:
        _depth += 1
        try:
            if _depth > 1:
                yield
                return
            path = Path(tempfile.gettempdir()) / f"agentnexus-build-{os.getuid()}.lock"
            with path.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        finally:
            _depth -= 1
