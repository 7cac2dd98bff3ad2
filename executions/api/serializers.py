"""What the API takes and gives."""

from datetime import timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from executions import durations
from executions.api.file_serializers import ExecutionFileSerializer, FileLinkSerializer
from executions.models import EgressRecord, Execution
from executions.sharing.obstacles import obstacle
from executions.sharing.positions import position

# What one may ask for; urgent is for staff to give.
PRIORITIES = {"low": Execution.Priority.LOW, "normal": Execution.Priority.NORMAL, "high": Execution.Priority.HIGH}


@extend_schema_field(OpenApiTypes.ANY)
class DocumentSerializerField(serializers.JSONField):
    """Any JSON document."""


class CancelAfterField(serializers.CharField):
    """A length of time."""

    def to_internal_value(self, data: Any) -> timedelta:  # type: ignore[override]
        value = durations.parse(str(data)) if isinstance(data, str | int) and not isinstance(data, bool) else None
        if value is None:
            raise serializers.ValidationError("Write seconds, or a time such as 90s, 5m or 1h30m.")
        return value


class ExecutionRequestSerializer(serializers.Serializer[Any]):
    """What to run, on what."""

    agent = serializers.SlugField(help_text="The agent's slug.")
    version = serializers.CharField(
        max_length=20, required=False, help_text="Number of the version; the live one when left out."
    )
    input = DocumentSerializerField(allow_null=True, help_text="A JSON document that fits the version's input schema.")
    priority = serializers.ChoiceField(
        choices=sorted(PRIORITIES),
        default="normal",
        help_text="Among your own runs; `low` also yields to everybody else's.",
    )
    cancel_after = CancelAfterField(
        required=False,
        allow_null=True,
        help_text="Cancel it unless it has ended after this long, counted from now: `90`, `90s`, `5m`, `1h30m`.",
    )


class ExecutionAgentSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()


class EgressRecordSerializer(serializers.ModelSerializer[EgressRecord]):
    """A connection the run made or tried. Sizes in bytes. `more` counts those that are not listed one by one."""

    class Meta:
        model = EgressRecord
        fields = ["attempt", "at", "host", "port", "sent", "received", "verdict", "count"]
        read_only_fields = fields


class ExecutionSerializer(serializers.ModelSerializer[Execution]):
    """An execution. `input` and `output` are null for staff who may not read them."""

    agent = ExecutionAgentSerializer(read_only=True)
    version = serializers.CharField(source="version.number", read_only=True)
    reason_text = serializers.CharField(source="get_reason_display", read_only=True)
    status_text = serializers.CharField(source="get_status_display", read_only=True)
    input = DocumentSerializerField(read_only=True)
    output = DocumentSerializerField(read_only=True, allow_null=True)
    files = serializers.SerializerMethodField(help_text="Those it took and gave; their addresses hold some minutes.")
    duration_seconds = serializers.FloatField(read_only=True, allow_null=True)
    priority = serializers.SerializerMethodField(help_text="low, normal, high or urgent")
    position = serializers.SerializerMethodField(help_text="Place in the queue, 1 is next; null when not queued.")
    obstacle = serializers.SerializerMethodField(
        help_text="A sentence when it is queued and no machine in service can run it; else empty."
    )
    cancel_after = serializers.DateTimeField(
        source="cancel_at", read_only=True, help_text="When it is cancelled unless it has ended."
    )

    class Meta:
        model = Execution
        fields = [
            "id",
            "agent",
            "version",
            "status",
            "status_text",
            "reason",
            "reason_text",
            "error",
            "input",
            "output",
            "files",
            "exit_code",
            "attempt",
            "last_seq",
            "priority",
            "position",
            "obstacle",
            "cancel_requested",
            "cancel_after",
            "deadline_seconds",
            "queued_at",
            "started_at",
            "finished_at",
            "duration_seconds",
            "documents_deleted_at",
        ]
        read_only_fields = fields

    def get_priority(self, execution: Execution) -> str:
        return Execution.Priority(execution.priority).name.lower()

    def get_position(self, execution: Execution) -> int | None:
        return position(execution)

    def get_obstacle(self, execution: Execution) -> str:
        return obstacle(execution)

    def to_representation(self, instance: Execution) -> dict[str, Any]:
        data: dict[str, Any] = super().to_representation(instance)
        if not self.context.get("documents", True):
            data["input"] = data["output"] = None
        return data

    @extend_schema_field(ExecutionFileSerializer(many=True))
    def get_files(self, execution: Execution) -> list[dict[str, Any]]:
        if not self.context.get("documents", True):
            return []
        uses = execution.file_uses.select_related("file").order_by("pk")
        return [{"direction": use.direction, **FileLinkSerializer(use.file).data} for use in uses]


class ExecutionSummarySerializer(ExecutionSerializer):
    """An execution in a list: without its documents and its place in the queue."""

    position = None  # type: ignore[assignment]
    obstacle = None  # type: ignore[assignment]
    files = None  # type: ignore[assignment]

    class Meta(ExecutionSerializer.Meta):
        fields = [
            name
            for name in ExecutionSerializer.Meta.fields
            if name not in {"input", "output", "files", "position", "obstacle"}
        ]
        read_only_fields = fields

    def to_representation(self, instance: Execution) -> dict[str, Any]:
        return serializers.ModelSerializer.to_representation(self, instance)


class LineSerializer(serializers.Serializer[Any]):
    """A line of the log. `text` has its control characters neutralised."""

    seq = serializers.IntegerField()
    time = serializers.DateTimeField()
    stream = serializers.ChoiceField(choices=["stdout", "stderr", "event"])
    text = serializers.CharField()


class LogSerializer(serializers.Serializer[Any]):
    """A part of the log. `complete`: the execution has ended and no line comes after these."""

    lines = LineSerializer(many=True)
    last_seq = serializers.IntegerField()
    complete = serializers.BooleanField()


class LogQuerySerializer(serializers.Serializer[Any]):
    """Which lines."""

    after = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, default=0, help_text="Lines with higher numbers."
    )
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=500)
