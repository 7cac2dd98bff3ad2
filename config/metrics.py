"""`/metrics` in Prometheus' text format, for who holds the token or asks from an allowed address."""

import hmac
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from executions.metrics import ExecutionsCollector
from wallets.signin.client_ip import client_ip

REGISTRY = CollectorRegistry(auto_describe=False)
REGISTRY.register(ExecutionsCollector())


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """404 for everybody else: that there is such a page is nobody's business."""
    if not (_holds_token(request) or _comes_from_allowed(request)):
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _holds_token(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _comes_from_allowed(request: HttpRequest) -> bool:
    try:
        address = ip_address(client_ip(request))
    except ValueError:
        return False
    return any(address in ip_network(network) for network in settings.METRICS_NETWORKS)
