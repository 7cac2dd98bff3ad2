"""Contents in the private storage: a folder on a disk, or a bucket of an object storage.

Each storage has errors of its own. Here they become one, StorageAwayError: whoever keeps or reads something can wait,
or say it. That nothing is there under a name stays a FileNotFoundError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import structlog
from django.core.files.base import File
from django.core.files.storage import Storage, storages

from marketplace.errors import StorageAwayError

log = structlog.get_logger(__name__)


def storage() -> Storage:
    """Where contents are kept."""
    return storages["private"]


def save(name: str, content: IO[bytes]) -> str:
    """Keep all of `content`, from its beginning; the name it got. Raises StorageAwayError."""
    content.seek(0)
    with _one_error("save"):
        return storage().save(name, File(content))


def read(name: str) -> IO[bytes]:
    """The content, to be closed. From here on the storage may go. Raises StorageAwayError, FileNotFoundError."""
    with _one_error("read"):
        content = storage().open(name)
        try:
            content.seek(0)  # a bucket's is fetched when it is first touched
        except BaseException:
            content.close()
            raise
        return content


def exists(name: str) -> bool:
    """Whether there is such a content. Raises StorageAwayError."""
    with _one_error("exists"):
        return storage().exists(name)


def remove(name: str) -> None:
    """Delete the content; one that is gone is no error. Raises StorageAwayError."""
    with _one_error("remove"):
        storage().delete(name)


@contextmanager
def _one_error(what: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as exc:  # each storage has errors of its own
        log.warning("storage_away", operation=what, error=type(exc).__name__, detail=str(exc)[:200])
        raise StorageAwayError("The storage for files does not answer. Try again in a few minutes.") from exc
