"""What the platform adds to a bare `docker run`: `python -m tests.bench.bench_executions [ROUNDS]`.

A real worker process on a PostgreSQL and a Redis of its own runs a small shell agent; the same image is run with
`docker run --rm --network none` by turns with it, so that both see the same load of the machine. Times are medians.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from deploy.local.engines import Postgres, Valkey
from tests.bench import two_nodes
from tests.bench.two_nodes import SLOTS, worker

ROUNDS = 20
SATURATION_RUNS = 40
SATURATIONS = 3  # by turns with the bare loop; the median counts
REPOSITORY = "agentnexus-test/bench"
# Sleeps when the input says so.
SCRIPT = "echo hello; case $(cat) in *sleep*) sleep 30;; *wait*) sleep 1;; esac; echo '{}'"
GOAL_ADDED_MS = 40.0
GOAL_RATE = 0.9
GOAL_CANCEL_MS = 500.0
GOAL_SECOND_NODE = 1.8


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from asking to the first line of output, and to the result."""

    first_line: float
    result: float


def main(rounds: int) -> None:
    """Start what is needed, measure, print, and leave nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="agentnexus-bench-"))
    folder.chmod(0o755)
    engines = (Postgres(folder), Valkey(folder))
    for engine in engines:
        engine.start()
    try:
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = (engine.url for engine in engines)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
        os.environ["EXECUTION_CONCURRENT_PER_USER"] = "0"
        import django

        django.setup()
        with _image() as image:
            version = _version(image)  # workers want their tables
            with worker("one"):
                _measure(version, image, rounds)
        from django.db import connections

        connections.close_all()
    finally:
        for started in reversed(engines):
            started.stop()


def _measure(version: Any, reference: str, rounds: int) -> None:
    image = reference.partition("@")[0]
    _platform(version)  # the first run of each pays for connections and checks
    _bare(image)
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(_platform(version))
        bare.append(_bare(image))
    for name, pick in (("first_line", lambda t: t.first_line), ("result", lambda t: t.result)):
        _added(f"execution_{name}", _median(ours, pick), _median(bare, pick))
    pairs = [(_rate_of(version, {}, SATURATION_RUNS), _saturate_bare(image)) for _ in range(SATURATIONS)]
    _rate("execution_throughput", *sorted(pairs, key=lambda pair: pair[0] / pair[1])[SATURATIONS // 2])
    _cancelling(version, rounds)
    _fairness(version)
    _print_to_watcher(rounds)
    _second_node(version, reference)


def _added(name: str, value: float, baseline: float) -> None:
    ours, bare = value * 1000, baseline * 1000
    verdict = "ok" if ours - bare <= GOAL_ADDED_MS else "short"
    goal = (bare + GOAL_ADDED_MS) / bare
    _figure(name, f"{ours:.0f} ms baseline {bare:.0f} ratio {ours / bare:.2f} goal {goal:.2f} {verdict}")


def _rate(name: str, ours: float, bare: float, goal: float = GOAL_RATE) -> None:
    verdict = "ok" if ours / bare >= goal else "short"
    _figure(name, f"{ours:.1f} runs/s baseline {bare:.1f} ratio {ours / bare:.2f} goal {goal} {verdict}")


def _platform(version: Any) -> Times:
    """Ask as the API does, and watch the log and the row."""
    from executions.logs import stream
    from executions.models import Execution

    began = time.monotonic()
    execution = _ask(version)
    first = _until(lambda: stream.last_seq(execution.pk) > 0) - began
    ended = _until(lambda: Execution.objects.filter(pk=execution.pk, status="succeeded").exists()) - began
    return Times(first, ended)


def _bare(image: str) -> Times:
    began = time.monotonic()
    with subprocess.Popen(
        ["docker", "run", "--rm", "-i", "--network", "none", image], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(b"{}")
        run.stdin.close()
        run.stdout.readline()
        first = time.monotonic() - began
        run.wait()
    return Times(first, time.monotonic() - began)


def _rate_of(version: Any, document: dict[str, Any], count: int) -> float:
    """Runs per second when this many are asked for at once."""
    from executions.models import Execution

    began = time.monotonic()
    ids = [_ask(version, document).pk for _ in range(count)]
    # Seldom: asking takes from the two cores what the runs could have.
    ended = _until(lambda: Execution.objects.filter(pk__in=ids, status="succeeded").count() == count, every=0.05)
    return count / (ended - began)


def _saturate_bare(image: str) -> float:
    began = time.monotonic()
    with ThreadPoolExecutor(SLOTS) as pool:
        list(pool.map(lambda _: _bare(image), range(SATURATION_RUNS)))
    return SATURATION_RUNS / (time.monotonic() - began)


def _cancelling(version: Any, rounds: int) -> None:
    """From asking to cancel a run under way to its final state, its container killed."""
    from executions import dispatch
    from executions.models import Execution

    delays = []
    for _ in range(rounds):
        execution = dispatch.request(version.agent.creator, version.agent, {"sleep": "30"})
        _until(lambda pk=execution.pk: Execution.objects.filter(pk=pk, status="running").exists())  # type: ignore[misc]
        began = time.monotonic()
        dispatch.cancel(version.agent.creator, execution.pk)
        ended = _until(lambda pk=execution.pk: Execution.objects.filter(pk=pk, status="cancelled").exists())  # type: ignore[misc]
        delays.append(ended - began)
    median = statistics.median(delays) * 1000
    verdict = "ok" if median < GOAL_CANCEL_MS else "short"
    _figure("execution_cancel", f"{median:.0f} ms baseline 500 ratio {median / 500:.2f} goal 1 {verdict}")


def _fairness(version: Any) -> None:
    """How many of one person's hundred runs end before another's single one that was asked for after them all."""
    from executions import dispatch
    from executions.models import Execution
    from tests.factories.marketplace import grant_access
    from tests.factories.wallets import LinkedWalletFactory

    crowd = [_ask(version).pk for _ in range(100)]
    other = LinkedWalletFactory.create().user
    grant_access(other, version.agent)
    began = time.monotonic()
    single = dispatch.request(other, version.agent, {})
    ended = _until(lambda: Execution.objects.filter(pk=single.pk, status="succeeded").exists()) - began
    before = Execution.objects.filter(pk__in=crowd, finished_at__lt=Execution.objects.get(pk=single.pk).finished_at)
    overtaken = before.filter(finished_at__gt=single.queued_at).count()
    verdict = "ok" if overtaken <= 3 * SLOTS else "short"
    _figure(
        "execution_fairness", f"{overtaken} runs_before baseline 100 ratio {overtaken / 100:.2f} goal 0.12 {verdict}"
    )
    _figure("execution_fairness_wait", f"{ended * 1000:.0f} ms baseline 0 ratio 0 goal 0 ok")
    _until(lambda: not Execution.objects.filter(pk__in=crowd, finished_at=None).exists())


def _print_to_watcher(rounds: int) -> None:
    """From the moment a worker has a line to a watcher in another part of the process having it, over Redis."""
    import asyncio

    from executions.following import Lines, follow
    from executions.logs import LogWriter, Stream
    from tests.factories.executions import ExecutionFactory

    execution = ExecutionFactory.create(status="running", attempt=1)
    delays: list[float] = []

    async def watch() -> None:
        with LogWriter(execution.pk, 1) as writer:
            events = follow(execution.pk, 0)
            await anext(events)
            for _ in range(rounds):
                await asyncio.sleep(0.1)
                writer.write(Stream.STDOUT, "x")
                began = time.monotonic()
                while not isinstance(await anext(events), Lines):
                    pass
                delays.append(time.monotonic() - began)
            await events.aclose()

    asyncio.run(watch())
    p95 = sorted(delays)[int(len(delays) * 0.95)] * 1000
    verdict = "ok" if p95 < 250 else "short"
    _figure("execution_line_to_watcher_p95", f"{p95:.0f} ms baseline 0 ratio 0 goal 250 {verdict}")


def _second_node(version: Any, reference: str) -> None:
    """Agents that wait fill the slots, not the two cores, so a second engine has its slots to add; agents that do not
    wait show what the second one costs where the cores are full."""
    cases: tuple[tuple[str, dict[str, Any], float], ...] = (
        ("waiting", {"wait": True}, GOAL_SECOND_NODE),
        ("busy", {}, GOAL_RATE),
    )
    with two_nodes.second_node(reference):
        for name, document, goal in cases:
            _rate(f"execution_two_engines_{name}", *two_nodes.by_turns(partial(_rate_of, version, document)), goal)


def _figure(name: str, text: str) -> None:
    print(f"figure {name} {text}", flush=True)  # noqa: T201  a benchmark's output


def _ask(version: Any, document: dict[str, Any] | None = None) -> Any:
    from executions import dispatch

    return dispatch.request(version.agent.creator, version.agent, document or {})


def _until(condition: Callable[[], bool], every: float = 0.002) -> float:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for two minutes"
        time.sleep(every)
    return time.monotonic()


def _median(times: list[Times], pick: Callable[[Times], float]) -> float:
    return statistics.median(pick(one) for one in times)


def _version(image: str) -> Any:
    from django.core.management import call_command

    from tests.factories.executions import version_of

    call_command("migrate", verbosity=0)
    return version_of(image)


@contextmanager
def _image() -> Iterator[str]:
    import docker
    from django.conf import settings

    from tests.executions.images import built, ensure_base

    command = f"CMD {json.dumps(['/bin/sh', '-c', SCRIPT])}"
    client = docker.APIClient(settings.DOCKER_HOST, version="auto")
    with built(client, REPOSITORY, f"FROM {ensure_base()}\n{command}") as image:
        yield image


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
