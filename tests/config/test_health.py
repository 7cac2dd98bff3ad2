from typing import Any

import pytest
from django.test import Client


@pytest.mark.django_db
def test_live_answers_without_any_dependency(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_names_each_required_part(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    checks = {check["name"]: check["ok"] for check in response.json()["checks"]}
    assert checks["database"] is True
    assert checks["redis"] is True


@pytest.mark.django_db
def test_ready_says_that_redis_is_away(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert response.status_code == 503
    report = response.json()
    assert report["status"] == "down"
    assert [(check["name"], check["ok"]) for check in report["checks"]] == [("database", True), ("redis", False)]
