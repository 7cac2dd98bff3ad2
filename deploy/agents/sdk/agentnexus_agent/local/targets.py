"""What is to be run: an image, a WebAssembly module, or the folder of an agent; and what its agent.json says."""

import json
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from agentnexus_agent.local.errors import UsageError

MANIFEST = "agent.json"


class Kind(Enum):
    """How a target is run."""

    IMAGE = "image"
    FOLDER = "folder"  # its Dockerfile is built first
    MODULE = "module"
    PROGRAM = "program"  # a Python file, without any sandbox


@dataclass(frozen=True, slots=True)
class Target:
    """`name` is the image's reference, or the path."""

    kind: Kind
    name: str
    manifest: dict[str, Any] = field(default_factory=dict)


def find(name: str, manifest: Path | None, *, sandboxed: bool) -> Target:
    """What `name` means. Raises UsageError."""
    path = Path(name)
    if manifest is not None and not manifest.is_file():
        raise UsageError(f"There is no file {manifest}.")
    if path.is_dir():
        return _in_folder(path, _read_manifest(manifest or path / MANIFEST), sandboxed)
    beside = _read_manifest(manifest or path.parent / MANIFEST) if path.is_file() or manifest else {}
    if path.suffix == ".wasm":
        if not path.is_file():
            raise UsageError(f"There is no module {path}.")
        return Target(Kind.MODULE, name, beside)
    if path.suffix == ".py" or not sandboxed:
        if sandboxed:
            raise UsageError(f"Give the folder of {path}, which has a Dockerfile, or run it with --no-sandbox.")
        if not path.is_file():
            raise UsageError(f"There is no Python file {path}: --no-sandbox runs one, or a folder with an agent.py.")
        return Target(Kind.PROGRAM, name, beside)
    if name.startswith((".", "/", "~")):
        raise UsageError(f"There is nothing at {path}.")
    return Target(Kind.IMAGE, name, beside)


def _in_folder(folder: Path, manifest: dict[str, Any], sandboxed: bool) -> Target:
    if (folder / "agent.wasm").is_file():
        return Target(Kind.MODULE, str(folder / "agent.wasm"), manifest)
    if not sandboxed:
        if not (folder / "agent.py").is_file():
            raise UsageError(f"{folder} has no agent.py, which --no-sandbox would run.")
        return Target(Kind.PROGRAM, str(folder / "agent.py"), manifest)
    if not (folder / "Dockerfile").is_file():
        raise UsageError(f"{folder} has neither a Dockerfile nor an agent.wasm: build the agent first.")
    return Target(Kind.FOLDER, str(folder), manifest)


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise UsageError(f"{path} must hold a JSON object.")
    return manifest
