"""How the API's description shows errors and examples."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from chain.errors import DomainError

PROBLEM = "application/problem+json"


class MemberProblemSerializer(serializers.Serializer[Any]):
    """What is wrong with one member of the body."""

    pointer = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457). Programs look at `code`, which does not change; `detail` is a sentence for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = MemberProblemSerializer(many=True, required=False)  # type: ignore[assignment]


def problems(*errors: DomainError) -> dict[tuple[int, str], OpenApiResponse]:
    """The errors that a route answers with, by status: their codes, and an example of each."""
    by_status: dict[int, list[DomainError]] = defaultdict(list)
    for error in errors:
        by_status[error.http_status].append(error)
    return {(status, PROBLEM): _response(status, found) for status, found in sorted(by_status.items())}


def _response(status: int, errors: list[DomainError]) -> OpenApiResponse:
    title = HTTPStatus(status).phrase
    examples = [
        OpenApiExample(
            error.code,
            value={
                "type": f"about:blank#{error.code}",
                "title": title,
                "status": status,
                "detail": error.message,
                "code": error.code,
            },
            media_type=PROBLEM,
            response_only=True,
            status_codes=[str(status)],
        )
        for error in errors
    ]
    codes = ", ".join(f"`{error.code}`" for error in errors)
    return OpenApiResponse(ProblemSerializer, description=f"{title}: {codes}", examples=examples)


def example(
    value: Any, name: str = "Example", *, request_only: bool = False, response_only: bool = False
) -> OpenApiExample:
    """An example of what a serializer takes or gives."""
    return OpenApiExample(name, value=value, request_only=request_only, response_only=response_only)
