"""Figures of this room for Prometheus, read from the database when they are asked for: any process tells the same."""

from collections.abc import Iterator

from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from executions.models import Execution, Node
from executions.querysets import UNFINISHED
from executions.sharing.demand import demand
from executions.states import ACTIVE


class ExecutionsCollector:
    """The queue, which says when more nodes are needed, and the nodes."""

    def collect(self) -> Iterator[Metric]:
        yield from _queue()
        yield from _nodes()


def _queue() -> Iterator[Metric]:
    counted = Execution.objects.unfinished().order_by().values_list("status").annotate(Count("pk"))
    counts = dict.fromkeys(UNFINISHED, 0) | dict(counted)
    unfinished = GaugeMetricFamily("agentnexus_executions", "Executions that have not ended.", labels=["status"])
    for status, count in counts.items():
        unfinished.add_metric([status], count)
    yield unfinished
    waiting = Execution.objects.filter(status=Execution.Status.QUEUED)
    since = waiting.aggregate(since=Min("queued_at"))["since"]
    age = (timezone.now() - since).total_seconds() if since else 0.0
    yield GaugeMetricFamily("agentnexus_execution_queue_depth", "Executions that wait.", value=counts["queued"])
    yield GaugeMetricFamily(
        "agentnexus_execution_queue_oldest_seconds", "How long the one has waited that waits longest.", value=age
    )
    now = demand()
    waited = (timezone.now() - now.since).total_seconds() if now.since else 0.0
    yield GaugeMetricFamily(
        "agentnexus_execution_queue_runnable",
        "Executions that wait for a worker, without those that people's own limits hold back.",
        value=now.runnable,
    )
    yield GaugeMetricFamily(
        "agentnexus_execution_queue_waited_seconds",
        "How long one of these people has been given no worker.",
        value=waited,
    )
    people = waiting.aggregate(people=Count("user", distinct=True))["people"]
    yield GaugeMetricFamily("agentnexus_execution_queue_people", "People who have something waiting.", value=people)


def _nodes() -> Iterator[Metric]:
    names = ("up", "in_service", "slots", "running", "memory_bytes", "memory_free_bytes")
    gauges = {
        name: GaugeMetricFamily(f"agentnexus_node_{name}", sentence, labels=["node"])
        for name, sentence in zip(
            names,
            (
                "Whether the node was heard of lately and its engine answers.",
                "Whether it takes executions (not cordoned, not draining).",
                "Executions its workers run at the same time.",
                "Executions under way on it.",
                "Memory that agents may use together.",
                "Of it, what is not promised to executions under way.",
            ),
            strict=True,
        )
    }
    used = {
        node: (count, memory or 0)
        for node, count, memory in Execution.objects.filter(status__in=ACTIVE)
        .order_by()
        .values_list("node")
        .annotate(Count("pk"), Sum("memory_bytes"))
    }
    alive = set(Node.objects.alive().filter(engine_ok=True).values_list("pk", flat=True))
    for node in Node.objects.all():
        running, memory = used.get(node.name, (0, 0))
        values = (
            node.name in alive,
            node.state == Node.State.READY,
            node.slots,
            running,
            node.memory_bytes,
            max(node.memory_bytes - memory, 0),
        )
        for name, value in zip(names, values, strict=True):
            gauges[name].add_metric([node.name], float(value))
    yield from gauges.values()
