"""Health endpoints: `/healthz` says the process answers, `/readyz` what each part of the platform reports."""

from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from chain import health as chain_health
from executions import health as execution_health
from wallets.smart_accounts import health as account_health


def live(request: HttpRequest) -> HttpResponse:
    """200 while the process can answer at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    """200 when pages can be served; 503 when PostgreSQL or Redis is away. Chain and Docker troubles are reported as
    `degraded`: the site stays up, purchases and executions wait."""
    required = [_check("database", _database), _check("redis", _redis)]
    ok = all(check["ok"] for check in required)
    # The rest is read from PostgreSQL and Redis: without them there is nothing more to say.
    degradable = [*chain_health.status(), *account_health.status(), *execution_health.status()] if ok else []
    state = "ok" if ok and all(check["ok"] for check in degradable) else "degraded" if ok else "down"
    return JsonResponse({"status": state, "checks": [*required, *degradable]}, status=200 if ok else 503)


def _check(name: str, probe: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": probe()}
    except (DatabaseError, redis.RedisError) as exc:
        return {"name": name, "ok": False, "detail": type(exc).__name__}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "reachable"


def _redis() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
    finally:
        client.close()
    return "reachable"
