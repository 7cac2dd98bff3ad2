"""Request and response rules of the whole site."""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse


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
