"""An S3-speaking object storage of the tests' own: signatures and their expiry are checked."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from deploy.local.engines import Engine

BUCKET = "agent-files"
KEY_ID, KEY = "tests", "tests-secret-key"


class ObjectStorage(Engine):
    """The server of the nanio wheel: buckets are folders below `objects`."""

    name = "object-storage"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def objects(self) -> Path:
        return self.data / "objects"

    def prepare(self) -> tuple[list[str], dict[str, Any]]:
        (self.objects / BUCKET).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "nanio", "serve", "--data-dir", str(self.objects), "--log-level", "warning"]
        keys = {"NANIO_ACCESS_KEY": KEY_ID, "NANIO_SECRET_KEY": KEY}
        return [*command, "--host", "127.0.0.1", "--port", str(self.port)], {"env": {**os.environ, **keys}}

    def ready(self) -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(self.url, timeout=2).status_code == 403
        return False

    def names(self) -> list[str]:
        """What is in the bucket."""
        root = self.objects / BUCKET
        found = (one.relative_to(root).as_posix() for one in root.rglob("*") if one.is_file())
        return sorted(name for name in found if not name.startswith("."))


@contextmanager
def object_storage(folder: Path) -> Iterator[ObjectStorage]:
    """A storage that runs."""
    engine = ObjectStorage(folder)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()
