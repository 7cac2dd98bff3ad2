"""How soon an agent's first line is there: `python -m tests.bench.bench_runners [ROUNDS]`.

Text Digest from a waiting container beside the same image started cold, and JSON Patch in a waiting process beside one
that is started for it; by turns, so that all see the same load of the machine. Medians of milliseconds from `run` to
to the first line of the log, and to the outcome. Where gVisor is installed, the same under it beside without, on an
engine that has it.
"""

import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 15
GOAL = 0.2
GVISOR = 3.0


def main(rounds: int) -> None:
    """Build the samples where needed, measure, print, and leave nothing behind."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
    os.environ.setdefault("EXECUTION_INSTANCE", f"bench-runners-{os.getpid()}")
    import django

    django.setup()
    _containers(rounds)
    _gvisor(rounds)
    _modules(rounds)


def _containers(rounds: int) -> None:
    from django.conf import settings

    from deploy.agents import build
    from executions.runners.docker import DockerRunner, hot

    agent = next(one for one in build.build_all(report=lambda line: None) if one.slug == "text-digest")
    hot.RUNS_EACH = 1
    cold, warm = DockerRunner(settings.DOCKER_HOST), DockerRunner(settings.DOCKER_HOST, hot_memory=1024**3)
    try:
        for runner in (cold, warm):
            _run(runner, agent.manifest["example_input"], image=agent.image)
        times: dict[str, list[tuple[float, float]]] = {"cold": [], "hot": []}
        for _ in range(rounds):
            times["cold"].append(_run(cold, agent.manifest["example_input"], image=agent.image))
            _until(lambda: _frozen(warm))
            times["hot"].append(_run(warm, agent.manifest["example_input"], image=agent.image))
    finally:
        cold.close()
        warm.close()
    _figures("hot_container", times["hot"], times["cold"])


def _gvisor(rounds: int) -> None:
    from deploy.agents import build
    from deploy.local import gvisor
    from executions.runners.docker import DockerRunner
    from tests.executions.own_engine import own_docker

    if gvisor.program() is None:
        print("gVisor is not installed: not measured.", flush=True)  # noqa: T201
        return
    agent = next(one for one in build.build_all(report=lambda line: None) if one.slug == "text-digest")
    with own_docker(agent.image) as engine:
        runner = DockerRunner(engine.url)
        times: dict[str, list[tuple[float, float]]] = {gvisor.NAME: [], "": []}
        for _ in range(rounds):
            for name, taken in times.items():
                taken.append(_run(runner, agent.manifest["example_input"], image=agent.image, runtime=name))
    _figures("gvisor", times[gvisor.NAME], times[""], goal=GVISOR)


def _modules(rounds: int) -> None:
    from django.conf import settings

    from deploy.agents import build
    from executions.runners.wasm import WasmRunner

    agent = next(one for one in build.modules() if one.slug == "json-patch")
    content = Path(agent.module).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        runners = {
            name: WasmRunner(Path(folder), lambda _: content, fuel=settings.EXECUTION_WASM_FUEL, ready=ready)
            for name, ready in (("cold", 0), ("hot", 1))
        }
        times: dict[str, list[tuple[float, float]]] = {"cold": [], "hot": []}
        began = time.perf_counter()
        _run(runners["cold"], agent.manifest["example_input"], module=digest)
        first = (time.perf_counter() - began) * 1000
        for _ in range(rounds):
            times["cold"].append(_run(runners["cold"], agent.manifest["example_input"], module=digest))
            runners["hot"].prepare()
            _until(lambda: _ready(runners["hot"]))
            times["hot"].append(_run(runners["hot"], agent.manifest["example_input"], module=digest))
        for runner in runners.values():
            runner.close()
    _figures("wasm_process", times["hot"], times["cold"])
    compiled = statistics.median(result for _, result in times["cold"]) * 1000
    _print("wasm_first_run_with_compiling", first, compiled, 5)


def _frozen(runner: Any) -> bool:
    runner.tend()
    return any(one.frozen for several in runner._hot._waiting.values() for one in several)


def _ready(runner: Any) -> bool:
    """A waiting process has said that it is ready."""
    import select

    waiting = runner._ready._waiting
    process = waiting.get()
    waiting.put(process)
    return bool(select.select([process.control], [], [], 0)[0])


def _run(runner: Any, document: Any, *, image: str = "", module: str = "", runtime: str = "") -> tuple[float, float]:
    """Seconds to the first line and to the outcome."""
    from dataclasses import replace

    from uuid_utils.compat import uuid7

    from executions import documents, limits
    from executions.runners.base import Control, RunSpec
    from tests.executions.runners.recording import Recorder

    first: list[float] = []
    sink = Recorder(when_line=lambda line: first.append(time.perf_counter()))
    control = Control()
    allowed = replace(limits.current(), timeout=60)
    spec = RunSpec(uuid7(), 1, image, documents.dump(document), allowed, module=module, runtime=runtime)
    began = time.perf_counter()
    outcome = runner.run(spec, sink, control)
    ended = time.perf_counter()
    control.close()
    if outcome.exit_code != 0:
        raise SystemExit(f"the agent ended as {outcome}: {sink.lines}")
    return first[0] - began, ended - began


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("not ready within a minute")
        time.sleep(0.05)


def _figures(
    name: str, ours: list[tuple[float, float]], baseline: list[tuple[float, float]], goal: float = GOAL
) -> None:
    for index, what in enumerate(("first_line", "result")):
        medians = [statistics.median(one[index] for one in times) * 1000 for times in (ours, baseline)]
        _print(f"{name}_{what}", medians[0], medians[1], goal if index == 0 else max(goal, 1))


def _print(name: str, ours: float, baseline: float, goal: float) -> None:
    ratio = ours / baseline
    verdict = "ok" if ratio <= goal else "short"
    line = f"figure {name} {ours:.1f} ms baseline {baseline:.1f} ratio {ratio:.2f} goal {goal:.2f} {verdict}"
    print(line, flush=True)  # noqa: T201  a benchmark's output


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
