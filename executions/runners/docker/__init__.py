"""Agents in hardened Docker containers."""

from executions.runners.docker.runner import DockerRunner

__all__ = ["DockerRunner"]
