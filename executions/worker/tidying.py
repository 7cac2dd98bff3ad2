"""Keeping the images of agents on a node within a budget of disk: those that ran longest ago go first.

Only images that came from a registry, by a version's own digest, are ever removed: they can be pulled again. What was
built on the node or belongs to somebody else is not ours to remove.
"""

import time
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Max

from executions.models import Execution
from executions.runners.docker.engine import Engine, EngineCallError, engine_errors
from marketplace.models import AgentVersion

log = structlog.get_logger(__name__)
EVERY_SECONDS = 300.0
# Removing takes the engine a while; the rest has its turn next time.
AT_ONCE = 5


class Tidier:
    """Tidies every EVERY_SECONDS when it is asked more often."""

    def __init__(self) -> None:
        self._engine = Engine(settings.DOCKER_HOST)
        self._tidied = time.monotonic()

    def step(self) -> None:
        """Raises RunnerUnavailableError, DatabaseError."""
        if time.monotonic() - self._tidied >= EVERY_SECONDS:
            self._tidied = time.monotonic()
            tidy(self._engine)


def tidy(engine: Engine) -> list[str]:
    """Remove images of agents beyond EXECUTION_IMAGE_CACHE_BYTES; the references that were removed.

    The engine itself refuses to remove the image of a container that exists, and an image with an execution that has
    not ended is not tried. Raises RunnerUnavailableError.
    """
    budget: int = settings.EXECUTION_IMAGE_CACHE_BYTES
    if not budget:
        return []
    with engine_errors():
        images: list[dict[str, Any]] = engine.client.images()
    sizes = {
        reference: int(image.get("Size") or 0)
        for image in images
        if not [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
        for reference in image.get("RepoDigests") or ()
    }
    ours = set(AgentVersion.objects.filter(image__in=sizes).values_list("image", flat=True))
    total = sum(sizes[reference] for reference in ours)
    if total <= budget:
        return []
    removed: list[str] = []
    for reference in _longest_unused(ours):
        if total <= budget or len(removed) == AT_ONCE:
            break
        if _remove(engine, reference):
            total -= sizes[reference]
            removed.append(reference)
    log.info("images_tidied", removed=removed, left_bytes=total, budget_bytes=budget)
    return removed


def _longest_unused(references: set[str]) -> list[str]:
    """Without those that an execution waits for or uses."""
    runs = Execution.objects.filter(version__image__in=references)
    needed = set(runs.unfinished().values_list("version__image", flat=True))
    last = dict(runs.values_list("version__image").annotate(last=Max("started_at")))
    moments = {reference: last.get(reference) for reference in references - needed}
    return sorted(moments, key=lambda reference: (moments[reference] is not None, moments[reference], reference))


def _remove(engine: Engine, reference: str) -> bool:
    try:
        with engine_errors():
            engine.client.remove_image(reference)
    except EngineCallError as exc:
        log.debug("image_kept", image=reference, reason=exc.message)  # a container has it
        return False
    return True
