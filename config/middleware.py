"""Request and response rules of the whole site."""

from collections.abc import Callable
from typing import Any

import structlog
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django_redis.exceptions import ConnectionInterrupted
from redis import RedisError

from config.views import not_found

log = structlog.get_logger(__name__)


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The site's policy everywhere; the admin's theme needs a wider one, which is kept to the admin's addresses.

    Its scripts (Alpine) evaluate attributes of the page and set styles. Scripts still come from this site's files only.
    """

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The parts django-csp builds the header from."""
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if request.path.startswith(reverse("admin:index")):
            wider: dict[str, Any] = {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}
            parts.update = {**(parts.update or {}), **wider}
        return parts


class UnavailableMiddleware:
    """Without Redis no attempts can be counted, so what counts them, signing in above all, is refused politely."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """What a page could not do for want of Redis. The API says so by itself."""
        if not isinstance(exception, (RedisError, ConnectionInterrupted)):
            return None
        log.error("redis_unavailable", path=request.path, error=type(exception).__name__)
        return render(request, "errors/503.html", status=503)


class NotFoundMiddleware:
    """The site's own page for what is not there, where DEBUG would show Django's list of URL patterns.

    Last in the list, so that redirects to an address with a slash still happen. Errors keep their tracebacks.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return not_found(request, Http404())
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """What a view says is not there."""
        return not_found(request, exception) if isinstance(exception, Http404) else None
