"""agent.json: what the marketplace is told about a sample agent."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.agents.images.errors import ImageBuildError

MEMBERS: dict[str, type] = {
    "slug": str,
    "name": str,
    "tagline": str,
    "description": str,
    "category": str,
    "number": str,
    "prices": dict,
    "access_duration": int,
    "input_schema": dict,
    "output_schema": dict,
    "example_input": dict,
}
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Source:
    """The folder of an agent."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def module(self) -> Path | None:
        """The agent's WebAssembly module; None when it is a container."""
        path = self.folder / "agent.wasm"
        return path if path.exists() else None

    @property
    def slug(self) -> str:
        """The agent's name in addresses and image names."""
        return str(self.manifest["slug"])


def read_sources(folder: Path) -> list[Source]:
    """The agents below `folder`, each in a folder with an agent.json, in the order of their names.

    Raises ImageBuildError that names the file and what is wrong in it.
    """
    sources = [Source(path.parent, read_manifest(path)) for path in sorted(folder.glob("*/agent.json"))]
    seen: dict[str, Path] = {}
    for source in sources:
        if source.slug in seen:
            raise ImageBuildError(
                f"{source.folder.name} and {seen[source.slug].name} have the same slug, {source.slug}."
            )
        seen[source.slug] = source.folder
    return sources


def read_manifest(path: Path) -> dict[str, Any]:
    """The content of an agent.json whose members have the right types."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ImageBuildError(f"{path} is not JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise ImageBuildError(f"{path} must hold a JSON object.")
    for name, expected in MEMBERS.items():
        if name not in manifest:
            raise ImageBuildError(f"{path} lacks {name!r}.")
        if not isinstance(manifest[name], expected) or isinstance(manifest[name], bool):
            raise ImageBuildError(f"{path}: {name!r} must be of type {expected.__name__}.")
    if not SLUG.fullmatch(manifest["slug"]):
        raise ImageBuildError(f"{path}: 'slug' may hold lower-case letters, digits and single hyphens only.")
    return manifest
