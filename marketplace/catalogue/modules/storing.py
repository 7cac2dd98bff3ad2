"""Keeping modules: the file under its SHA-256 in the private storage, and a row that says who brought it."""

import hashlib
from io import BytesIO

from marketplace import contents
from marketplace.catalogue.models import WasmModule
from marketplace.catalogue.modules.checking import check_module
from marketplace.errors import InvalidVersionError
from wallets.models import User


def store_module(creator: User, content: bytes) -> WasmModule:
    """Check and keep a module; the same content again is the same module. Raises InvalidVersionError,
    StorageAwayError."""
    try:
        check_module(content)
    except ValueError as exc:
        raise InvalidVersionError("This module cannot be used.", fields={"module": str(exc)}) from exc
    digest = hashlib.sha256(content).hexdigest()
    # First the file, then the row: a row without its file would be a version that cannot run.
    if not contents.exists(name_of(digest)):
        contents.save(name_of(digest), BytesIO(content))
    module, _ = WasmModule.objects.get_or_create(creator=creator, sha256=digest, defaults={"size": len(content)})
    return module


def read_module(digest: str) -> bytes:
    """The module's content. Raises FileNotFoundError, StorageAwayError, and ValueError when the storage holds something
    else."""
    with contents.read(name_of(digest)) as file:
        content = bytes(file.read())
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError("the storage holds something else under this module's name")
    return content


def name_of(digest: str) -> str:
    """The file's name in the storage."""
    return f"modules/{digest}.wasm"
