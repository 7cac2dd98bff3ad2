"""Finding the image a version names, fetching it when it is not here, and refusing what no agent needs."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import docker
from django.conf import settings

from executions.errors import RunnerError
from executions.runners.base import Control, RegistryLogin
from executions.runners.docker.confinement import LABEL, MAX_VOLUMES, OWN_LABELS, clean_volume_paths
from executions.runners.docker.engine import Engine, EngineCallError, engine_errors
from executions.runners.docker.pulling import ImageUnusableError, pull

REMEMBER_SECONDS = 60.0
MAX_LAYERS = 100
# Places that belong to the container's own system.
_RESERVED = ("/proc", "/sys", "/dev")


class Images:
    """The images of an engine. What was found is remembered for REMEMBER_SECONDS: looking takes two calls."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}
        self._processor = ""

    def resolve(
        self, reference: str, control: Control, event: Callable[[str], None], login: RegistryLogin | None = None
    ) -> dict[str, Any]:
        """The engine's description of the image `repository@sha256:digest`, pulled when it is not there.

        The digest is that of a manifest (an image that came from a registry) or, for images built on this engine, the
        image id; the latter counts only when the image carries a tag of the same repository. Raises
        ImageUnusableError, PullStoppedError, EngineCallError, RunnerUnavailableError.
        """
        until, known = self._known.get(reference, (0.0, {}))
        if time.monotonic() < until:
            return known
        repository, _, digest = reference.partition("@")
        if not repository or not digest.startswith("sha256:"):
            raise ImageUnusableError("The version does not name its image by digest.")
        found = _local(self._engine.client, repository, digest)
        pulled = found is None
        if found is None:
            event(f"Pulling {repository}")
            began = time.monotonic()
            pull(self._engine, repository, digest, control, event, login)
            event(f"Image ready after {time.monotonic() - began:.1f} s")
            found = _local(self._engine.client, repository, digest)
        if found is None:
            raise ImageUnusableError(f"The image {repository} was pulled but is not what its digest says.")
        try:
            check(found, self._architecture())
        except ImageUnusableError:
            if pulled:
                self._remove(reference)
            raise
        self._known[reference] = (time.monotonic() + REMEMBER_SECONDS, found)
        return found

    def _architecture(self) -> str:
        if not self._processor:
            with engine_errors():
                self._processor = str(self._engine.client.version().get("Arch", ""))
        return self._processor

    def _remove(self, reference: str) -> None:
        """What may not be run takes no room, either."""
        with suppress(RunnerError), engine_errors():
            self._engine.client.remove_image(reference)

    def forget(self, reference: str) -> None:
        """Look again next time."""
        self._known.pop(reference, None)


def check(image: dict[str, Any], architecture: str = "") -> None:
    """Refuse images that ask for more than a program to run, and those for other processors than `architecture` (as Go
    names it). Raises ImageUnusableError."""
    config = image.get("Config") or {}
    if image.get("Os", "linux") != "linux":
        raise ImageUnusableError(f"The image is for {image.get('Os')}, not for Linux.")
    if not (config.get("Entrypoint") or config.get("Cmd")):
        raise ImageUnusableError("The image says no command to run: set ENTRYPOINT or CMD.")
    if image.get("Size", 0) > settings.EXECUTION_IMAGE_BYTES:
        size, most = _mebibytes(image["Size"]), _mebibytes(settings.EXECUTION_IMAGE_BYTES)
        raise ImageUnusableError(f"The image is {size} when unpacked; at most {most} are allowed.")
    if len((image.get("RootFS") or {}).get("Layers") or ()) > MAX_LAYERS:
        raise ImageUnusableError(f"The image has more than {MAX_LAYERS} layers.")
    if architecture and image.get("Architecture") not in {"", None, architecture}:
        raise ImageUnusableError(
            f"The image is for {image['Architecture']} processors; agents run on {architecture} here."
        )
    labels = config.get("Labels") or {}
    if any(f"{LABEL}.{name}" in labels for name in OWN_LABELS):
        raise ImageUnusableError(
            f"The image has a label that is the platform's own: {LABEL}.{{{','.join(OWN_LABELS)}}}."
        )
    volumes = clean_volume_paths(config.get("Volumes"))
    if len(volumes) > MAX_VOLUMES or any(not _ordinary(path) for path in volumes):
        raise ImageUnusableError("The image declares volumes that cannot be allowed.")
    workdir = config.get("WorkingDir") or "/"
    if not (workdir == "/" or _ordinary(workdir)):
        raise ImageUnusableError("The image's WORKDIR must be an ordinary directory.")


def _mebibytes(size: int) -> str:
    return f"{size / 1_048_576:,.0f} MiB"


def _ordinary(path: str) -> bool:
    parts = path.rstrip("/").split("/")
    plain = path.startswith("/") and len(parts) > 1 and all(part not in {"", ".", ".."} for part in parts[1:])
    return plain and f"/{parts[1]}" not in _RESERVED and path.isprintable() and ":" not in path


def _local(client: docker.APIClient, repository: str, digest: str) -> dict[str, Any] | None:
    named = _inspect(client, f"{repository}@{digest}")
    if named is not None:
        return named
    built = _inspect(client, digest)
    if built is None:
        return None
    tags = {tag.rpartition(":")[0] for tag in built.get("RepoTags") or []}
    return built if repository in tags else None


def _inspect(client: docker.APIClient, reference: str) -> dict[str, Any] | None:
    try:
        with engine_errors():
            found: dict[str, Any] = client.inspect_image(reference)
    except EngineCallError as exc:
        if exc.missing:
            return None
        raise
    return found
