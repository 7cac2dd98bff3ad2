"""Two Docker engines against one: what a second node adds, on one machine."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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
    """A worker process of this node, at work."""
    from executions.worker import heartbeat

    command = f"celery -A config worker -Q executions -P threads -c {SLOTS} --loglevel ERROR -n {node}@%h"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *command.split()],
        cwd=ROOT,
        env={**os.environ, "EXECUTION_NODE": node, **environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not any(beat.worker.endswith(f":{process.pid}") for beat in heartbeat.beats()):
            assert time.monotonic() < deadline, f"the worker of node {node} does not start"
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
