"""`python -m tests.crash [ROUNDS [FAULT]]`: each fault at each step, ROUNDS times; a table and a count at the end.

`python -m tests.crash short` restarts each part at one step only, once.
"""

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from tests.crash.agents import LINES, SECRET, Agent, WithFiles, WithSecret
from tests.crash.scene import LEASE, Scene, scene, stop_in_order

T = TypeVar("T")
WITHIN = 60.0  # seconds after which an execution that has not ended, or what it left, counts as lost or left
STEPS = {
    "worker": ("queued", "starting", "created", "running", "first line", "mid log", "exited", "ended"),
    "worker, files": ("starting", "created", "running", "mid log", "exited"),
    "worker, secret": ("starting", "created", "running", "mid log", "exited"),
    "docker": ("starting", "running", "mid log"),
    "redis": ("queued", "running", "mid log"),
    "postgres": ("queued", "starting", "running", "mid log", "exited"),
    "postgres away": ("starting", "running", "mid log", "exited"),
}
AGENTS: dict[str, type[Agent]] = {"worker, files": WithFiles, "worker, secret": WithSecret, "postgres away": WithSecret}
SHORT = {
    "worker, files": ("mid log",),
    "worker, secret": ("mid log",),
    "docker": ("mid log",),
    "redis": ("queued", "mid log"),
    "postgres": ("mid log",),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one execution."""

    lost: str = ""
    twice: str = ""
    left: str = ""
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        return not (self.lost or self.twice or self.left)


def main(steps_of: dict[str, tuple[str, ...]], rounds: int) -> int:
    """Exit code 1 when anything was lost, run twice or left."""
    stop_in_order()
    folder = Path(tempfile.mkdtemp(prefix="anx-crash-"))
    folder.chmod(0o755)
    try:
        return _all(folder, steps_of, rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _all(folder: Path, steps_of: dict[str, tuple[str, ...]], rounds: int) -> int:
    table: dict[tuple[str, str], list[Verdict]] = {}
    with scene(folder) as there:
        agents = {fault: AGENTS.get(fault, Agent)(there.image) for fault in steps_of}
        for _ in range(rounds):
            for fault, steps in steps_of.items():
                for step in steps:
                    verdict = _once(there, agents[fault], fault, step)
                    table.setdefault((fault, step), []).append(verdict)
                    if not verdict.held:
                        _say(f"{fault} at {step}: {verdict}")
        left = _settled(there)
    return _report(table, left)


def _once(there: Scene, agent: Agent, fault: str, step: str) -> Verdict:
    if agent.taken_over:
        there.wait_for_workers()  # one is to die, and one to be there
    execution = _steadily(agent.ask)
    _until(lambda: _reached(there, execution.pk, step), 30)
    began = time.monotonic()
    if fault.startswith("worker"):
        there.kill_worker(_row(execution.pk).worker)
    elif fault == "postgres away":
        there.restart_postgres(after=LEASE + 2)
    else:
        getattr(there, f"restart_{fault}")()
    ended = _until(lambda: _row(execution.pk).is_finished, WITHIN)
    seconds = time.monotonic() - began
    if not ended:
        return Verdict(lost=f"still {_row(execution.pk).status}", seconds=seconds)
    gone = _until(lambda: not _steadily(lambda: there.containers(execution.pk)), WITHIN)
    return Verdict(
        lost=_wrong(agent, _row(execution.pk), step),
        twice=_twice(there, _row(execution.pk), fault, step),
        left="" if gone else "a container",
        seconds=seconds,
    )


def _wrong(agent: Agent, execution: Any, step: str) -> str:
    """What is not as it would be had nothing happened; empty when all is."""
    from executions import logs

    if execution.status != "succeeded":
        return f"{execution.status}: {execution.error}"
    if agent.taken_over and step == "mid log" and execution.failures:
        return "done anew, though it could be taken over"
    if sentence := agent.wrong_output(execution):
        return sentence
    lines = _steadily(lambda: list(logs.read(execution.pk).lines))
    if [line.seq for line in lines] != list(range(1, len(lines) + 1)):
        return "a gap in the log"
    if any(SECRET in line.text for line in lines):
        return "a secret in the log"
    texts = [line.text for line in lines if line.stream == "stdout"]
    whole = agent.expected_texts()
    if texts[-len(whole) :] != whole:
        return "the last attempt's log is not whole"
    # An earlier attempt's lines begin at the first again, and are in order.
    earlier = texts[: -len(whole)]
    follows = dict(pairwise(whole))
    in_order = all(text in {whole[0], follows.get(before)} for before, text in pairwise(["", *earlier]))
    return "" if in_order else "an earlier attempt's log is not in order"


def _twice(there: Scene, execution: Any, fault: str, step: str) -> str:
    # One that nobody could say has begun is begun again; one that had gone on with its worker is not.
    if fault == "postgres away" and step != "starting" and execution.attempt > 1:
        return "done anew, though its worker and its engine were there"
    most = there.most_at_once(execution.pk)
    return "" if most <= 1 else f"{most} containers at once"


def _reached(there: Scene, execution_id: Any, step: str) -> bool:
    """Whether the execution has come to that step, or past it."""
    from executions.logs import stream

    execution = _row(execution_id)
    if step == "queued" or execution.is_finished:
        return True
    if step == "starting":
        return bool(execution.status != "queued")
    if step == "created":
        return bool(there.containers(execution_id))
    if step == "running":
        return bool(execution.status == "running")
    if step in {"first line", "mid log"}:
        return stream.last_seq(execution_id) >= (1 if step == "first line" else LINES // 2)
    return step == "exited" and any(one["State"] == "exited" for one in there.containers(execution_id))


def _settled(there: Scene) -> dict[str, list[str]]:
    """What is left on the engine and the machine when everything has had its time."""
    _until(lambda: not any(_steadily(there.left).values()), WITHIN)
    return _steadily(there.left)


def _row(execution_id: Any) -> Any:
    from executions.models import Execution

    return _steadily(lambda: Execution.objects.get(pk=execution_id))


def _steadily(work: Callable[[], T]) -> T:
    """The result of `work`, tried again while the part it asks is being restarted."""
    import docker
    import redis
    import requests
    from django.db import Error, connection

    deadline = time.monotonic() + WITHIN
    while True:
        try:
            return work()
        except (Error, redis.RedisError, docker.errors.DockerException, requests.RequestException, OSError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _report(table: dict[tuple[str, str], list[Verdict]], left: dict[str, list[str]]) -> int:
    _say(f"{'fault':<16}{'at':<12}{'times':>6}{'held':>6}{'lost':>6}{'twice':>7}{'left':>6}{'slowest':>10}")
    count: Counter[str] = Counter()
    for (fault, step), verdicts in table.items():
        row = Counter(
            times=len(verdicts),
            held=sum(one.held for one in verdicts),
            lost=sum(bool(one.lost) for one in verdicts),
            twice=sum(bool(one.twice) for one in verdicts),
            left=sum(bool(one.left) for one in verdicts),
        )
        count += row
        slowest = max(one.seconds for one in verdicts)
        _say(
            f"{fault:<16}{step:<12}{row['times']:>6}{row['held']:>6}{row['lost']:>6}{row['twice']:>7}{row['left']:>6}"
            f"{slowest:>8.1f} s"
        )
    _say("left on the machine: " + ", ".join(f"{kind} {len(names)}" for kind, names in left.items()))
    for kind, names in left.items():
        for name in names:
            _say(f"  {kind}: {name}")
    _say(f"{count['held']} held, {count['times'] - count['held']} did not, of {count['times']} at {len(table)} points")
    return 0 if count["held"] == count["times"] and not any(left.values()) else 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  what one runs it for


if __name__ == "__main__":
    given, *faults = sys.argv[1:] or ["10"]
    chosen = {fault: STEPS[fault] for fault in faults or STEPS}
    raise SystemExit(main(SHORT, 1) if given == "short" else main(chosen, int(given)))
