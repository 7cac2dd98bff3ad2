"""Nodes, and what was found on them that belonged to nobody."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from executions.nodes.querysets import NodeQuerySet


class Node(models.Model):
    """A machine with a container engine, as its workers report it every few seconds; `state` is staff's."""

    class State(models.TextChoices):
        READY = "ready", "Ready"
        CORDONED = "cordoned", "Cordoned: takes nothing new"
        DRAINING = "draining", "Draining: takes nothing new and hands over what runs"

    name = models.CharField(primary_key=True, max_length=100)
    engine = models.CharField(max_length=200, help_text="The engine and its version, or why it cannot be used.")
    engine_ok = models.BooleanField(default=False)
    cpus = models.PositiveSmallIntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0, help_text="What agents may use together; none may use more.")
    slots = models.PositiveSmallIntegerField(default=0, help_text="Executions its workers run at the same time.")
    labels = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="What it offers, such as gpu or runsc."
    )
    images = models.JSONField(default=dict, help_text="Digest or id of each image it has, and its size in bytes.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.READY)
    state_reason = models.CharField(max_length=200, blank=True)
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()

    objects = NodeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Orphan(models.Model):
    """A container that belonged to no execution under way and was removed."""

    node = models.CharField(max_length=100)
    container_id = models.CharField(max_length=64)
    execution_id = models.UUIDField()
    attempt = models.PositiveIntegerField()
    why = models.CharField(max_length=200)
    removed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.container_id[:12]
