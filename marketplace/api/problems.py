"""The problem document (RFC 9457) in the OpenAPI description. config renders it."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class ProblemErrorSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="JSON pointer of the offending member.")
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """What went wrong: a stable `code` for programs, a sentence in `detail` for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)  # type: ignore[assignment]


def problems(**sentences: str) -> dict[int | tuple[int, str], OpenApiResponse]:
    """Responses by status: `problems(_404="No such agent.")`."""
    return {
        (int(status.removeprefix("_")), "application/problem+json"): OpenApiResponse(ProblemSerializer, sentence)
        for status, sentence in sentences.items()
    }
