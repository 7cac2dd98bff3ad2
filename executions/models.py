"""Executions and their archived logs."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from executions.files.models import File, FileUse
from executions.nodes.models import Node, Orphan
from executions.querysets import ExecutionQuerySet
from executions.sharing.models import AgentQuota, Turn
from marketplace.catalogue.columns import DocumentField
from marketplace.models import Agent, AgentVersion

__all__ = ["AgentQuota", "Execution", "File", "FileUse", "LogArchive", "Node", "Orphan", "Turn"]


class Execution(models.Model):
    """One requested run of a version. `attempt` fences every write of a worker that lost its lease."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        STARTING = "starting", "Starting"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        TIMED_OUT = "timed_out", "Timed out"
        CANCELLED = "cancelled", "Cancelled"

    class Reason(models.TextChoices):
        NONE = "", "-"
        EXIT = "exit", "The agent stopped with an error"
        OUT_OF_MEMORY = "out_of_memory", "The agent used more memory than allowed"
        BAD_OUTPUT = "bad_output", "The agent's output does not fit its schema"
        OUTPUT_LIMIT = "output_limit", "The agent wrote more than allowed"
        IMAGE = "image", "The agent's image could not be had"
        INFRASTRUCTURE = "infrastructure", "The platform failed to run the agent"
        LOST = "lost", "The run was lost"

    class Priority(models.IntegerChoices):
        """Low yields to everybody; high goes before the same person's others; only staff make one urgent."""

        LOW = -1, "Low"
        NORMAL = 0, "Normal"
        HIGH = 1, "High"
        URGENT = 2, "Urgent"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="executions")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="executions")
    version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="executions")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    reason = models.CharField(max_length=16, choices=Reason.choices, default=Reason.NONE, blank=True)
    input = DocumentField()
    output = DocumentField(null=True)
    error = models.TextField(blank=True, help_text="What went wrong, as a sentence for the person who asked.")
    exit_code = models.IntegerField(null=True)
    attempt = models.PositiveIntegerField(default=0, help_text="Counts claims; fences every write of a worker.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Attempts that the platform failed.")
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    needs = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Labels its node must have, such as gpu."
    )
    memory_bytes = models.BigIntegerField(default=0, help_text="What it may use of its node's memory.")
    not_before = models.DateTimeField(db_default=Now(), help_text="No worker takes it earlier.")
    cancel_at = models.DateTimeField(null=True, help_text="When it is cancelled unless it has ended.")
    lease_until = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True, help_text="When the current state must have been left.")
    node = models.CharField(max_length=100, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    container_id = models.CharField(max_length=64, blank=True)
    # Of one that has just been claimed: the memory its node has beside all runs (bytes).
    room: int | None = None
    log_base = models.PositiveIntegerField(default=0, help_text="Lines of the log before this attempt's agent began.")
    fed = models.BooleanField(default=False, help_text="Its agent has its whole input, so another worker may go on.")
    cancel_requested = models.BooleanField(default=False)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked for under the key.")
    last_seq = models.PositiveIntegerField(default=0)
    log_left_behind = models.BooleanField(
        default=False, db_default=False, help_text="Redis was away when it ended; the sweep archives its log."
    )
    deadline_seconds = models.PositiveIntegerField(help_text="How long the agent may run.")
    queued_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    documents_deleted_at = models.DateTimeField(null=True, help_text="When input, output and log were deleted.")

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("view_documents", "Can see inputs, outputs and logs of executions")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "idempotency_key"], name="one_execution_per_idempotency_key"),
            models.CheckConstraint(
                condition=models.Q(status__in=["queued", "starting", "running"]) ^ models.Q(finished_at__isnull=False),
                name="finished_execution_has_its_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="failed") | ~models.Q(reason=""),
                name="failed_execution_has_its_reason",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="execution_of_user"),
            models.Index(fields=["agent", "-id"], name="execution_of_agent"),
            models.Index(
                fields=["status", "not_before"],
                condition=models.Q(status__in=["queued", "starting", "running"]),
                name="execution_unfinished",
            ),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(log_left_behind=True),
                name="execution_log_left_behind",
            ),
            models.Index(
                fields=["user", "-priority", "id"], condition=models.Q(status="queued"), name="execution_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"Execution {self.pk}"

    @property
    def is_finished(self) -> bool:
        """Whether it has reached a state it never leaves."""
        return self.finished_at is not None

    @property
    def duration_seconds(self) -> float | None:
        """From start to end, once both are known."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


class LogArchive(models.Model):
    """The whole log of a finished execution: zlib-compressed JSON lines."""

    execution = models.OneToOneField(Execution, on_delete=models.CASCADE, related_name="log_archive")
    lines = models.BinaryField()
    line_count = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Log of {self.execution_id}"


class EgressRecord(models.Model):
    """A connection that a run made or tried, as the proxy saw it. Sizes in bytes, with the headers of requests."""

    class Verdict(models.TextChoices):
        ALLOWED = "allowed", "Allowed"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Failed"
        MORE = "more", "Further connections"

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="connections")
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField(help_text="When it ended.")
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField()
    sent = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField()
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.host}:{self.port} {self.verdict}"
