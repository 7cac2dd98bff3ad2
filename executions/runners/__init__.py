"""Engines that run agents."""

from functools import cache

from django.conf import settings

from executions.runners.base import Runner
from executions.runners.docker import DockerRunner


@cache
def default_runner() -> Runner:
    """The engine of this worker, as the settings name it."""
    return DockerRunner(settings.DOCKER_HOST)
