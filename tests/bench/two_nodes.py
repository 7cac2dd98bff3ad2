"""Two Docker engines against one: what a second node adds, on one machine."""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLOTS = 4
# Agents that wait for somebody most of their time, as those that call a model do.
RUNS = 24
ROUNDS = 3


@contextmanager
def second_node(image: str) -> Iterator[None]:
    """A node "two" with an engine of its own that has this image."""
    from tests.executions.own_engine import own_docker

    with own_docker(image) as engine, worker("two", DOCKER_HOST=engine.url):
        yield


def by_turns(rate: Callable[[int], float]) -> tuple[float, float]:
    """Runs per second of the nodes "one" and "two" together, and of "one" alone; the medians. `rate` has that many
    runs made."""
    from executions.nodes import steering

    alone, together = [], []
    rate(SLOTS * 2)  # the first of each engine pays for its checks
    for _ in range(ROUNDS):
        steering.cordon("two")
        alone.append(rate(RUNS))
        steering.uncordon("two")
        together.append(rate(RUNS))
    return statistics.median(together), statistics.median(alone)


@contextmanager
def worker(node: str, **environment: str) -> Iterator[None]:
    """A worker process of this node, at work; it ends in order, so that no waiting container stays."""
    from tests.executions.worker_process import WorkerProcess

    process = WorkerProcess(SLOTS, EXECUTION_NODE=node, **environment)
    try:
        process.wait_until_ready()
        yield
        process.terminate(30)
    finally:
        process.kill()
