"""`/metrics`."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from executions.models import Execution
from tests.factories.executions import ExecutionFactory, NodeFactory

pytestmark = pytest.mark.django_db


def read(client: Client) -> dict[str, float]:
    lines = client.get("/metrics").content.decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_empty_platform(client: Client) -> None:
    assert read(client)["agentnexus_execution_queue_depth"] == 0
    assert read(client)["agentnexus_execution_queue_oldest_seconds"] == 0


def test_queue_and_nodes(client: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(2):
        ExecutionFactory.create()
    Execution.objects.update(queued_at=timezone.now() - timedelta(seconds=90))
    ExecutionFactory.create(status="running", attempt=1, node="one", memory_bytes=1024)
    NodeFactory.create(name="one", memory_bytes=4096)
    NodeFactory.create(name="two", state="cordoned", last_seen_at=timezone.now() - timedelta(hours=1))
    with django_assert_max_num_queries(9):
        figures = read(client)
    assert figures["agentnexus_execution_queue_depth"] == 2
    assert 90 <= figures["agentnexus_execution_queue_oldest_seconds"] < 120
    assert figures["agentnexus_execution_queue_people"] == 2
    assert figures["agentnexus_execution_queue_runnable"] == 2
    assert 90 <= figures["agentnexus_execution_queue_waited_seconds"] < 120
    assert figures['agentnexus_executions{status="running"}'] == 1
    assert figures['agentnexus_node_up{node="one"}'] == 1
    assert figures['agentnexus_node_running{node="one"}'] == 1
    assert figures['agentnexus_node_memory_free_bytes{node="one"}'] == 3072
    assert figures['agentnexus_node_up{node="two"}'] == 0
    assert figures['agentnexus_node_in_service{node="two"}'] == 0


def test_only_for_who_may(client: Client, settings: Settings) -> None:
    settings.METRICS_NETWORKS = ["10.0.0.0/8"]
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "a-token"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer a-token"}).status_code == 200
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
