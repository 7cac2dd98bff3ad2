"""Errors as RFC 9457 problem details: `application/problem+json` with `type title status detail code errors`."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from chain.errors import DomainError

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem response. `errors` name the offending members: `[{"pointer": "/field", "message": "..."}]`."""
    body: dict[str, Any] = {
        "type": f"about:blank#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. Unknown exceptions stay unhandled, so that they are reported as server errors."""
    if isinstance(exc, DomainError):
        fields = [{"pointer": _pointer(name), "message": text} for name, text in exc.fields.items()]
        headers = {} if exc.retry_after is None else {"Retry-After": str(exc.retry_after)}
        return problem(exc.http_status, exc.code, exc.message, fields, headers)
    if isinstance(exc, Http404):
        return problem(404, "not_found", "There is nothing at this address, or it is not yours to see.")
    if isinstance(exc, PermissionDenied):
        return problem(403, "permission_denied", "You may not do this.")
    response = drf_exception_handler(exc, context)
    if response is None or not isinstance(exc, exceptions.APIException):
        return response
    headers = {name: response[name] for name in ("WWW-Authenticate", "Retry-After") if name in response}
    if isinstance(exc, exceptions.ValidationError):
        errors = [{"pointer": pointer, "message": text} for pointer, text in _flatten(exc.detail, "")]
        return problem(response.status_code, "invalid", "Some values are not valid.", errors, headers)
    code = exc.get_codes()
    return problem(response.status_code, code if isinstance(code, str) else "invalid", str(exc.detail), None, headers)


def _pointer(name: str) -> str:
    return name if name.startswith("/") else f"/{name}"


def _flatten(detail: Any, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _flatten(value, at if key == "non_field_errors" else f"{at}/{key}")
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from _flatten(value, at if not isinstance(value, dict) else f"{at}/{index}")
    else:
        yield at or "/", str(detail)
