"""A log at full speed: `python -m tests.bench.bench_logs [LINES_PER_SECOND] [SECONDS] [VIEWERS]`.

One process prints, the web server of the Procfile serves, and viewers over real WebSockets drop and come back. Counted
are gaps, duplicates and disorder over all viewers; measured is the time from print to a viewer's socket, on the last
line of each message.
"""

import asyncio
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.engines import Postgres, Valkey, free_port

ROOT = Path(__file__).resolve().parents[2]
GOAL_SECONDS = 0.25
DROP_EVERY = (3.0, 9.0)  # seconds that a viewer stays
SEQ = re.compile(r'"seq": ?(\d+)')


@dataclass(slots=True)
class Viewer:
    """What one viewer saw."""

    last: int = 0
    gaps: int = 0
    repeats: int = 0
    connections: int = 0
    ended: bool = False
    delays: list[float] = field(default_factory=list)

    def take(self, text: str) -> None:
        if text.startswith(('{"type": "end"', '{"type":"end"')):
            self.ended = True
        if '"lines"' not in text[:20]:
            return
        numbers = [int(number) for number in SEQ.findall(text)]
        for number in numbers:
            self.gaps += number > self.last + 1
            self.repeats += number <= self.last
            self.last = max(self.last, number)
        stamp = text.rpartition("at=")[2].partition(" ")[0]
        self.delays.append(time.time() - float(stamp))


def main(rate: int, seconds: int, viewers: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="agentnexus-bench-"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        engines = (Postgres(folder), Valkey(folder))
        for engine in engines:
            engine.start()
            stack.callback(engine.stop)
        os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = (engine.url for engine in engines)
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
        execution, token = _prepare()
        port = free_port()
        server = subprocess.Popen(
            [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "config.asgi:application"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(server.wait)
        stack.callback(server.terminate)
        url = f"ws://127.0.0.1:{port}/ws/executions/{execution}/"
        seen, printed = asyncio.run(_watch(url, token, execution, rate, seconds, viewers))
        _report(seen, printed, rate, seconds)


def _prepare() -> tuple[str, str]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    from tests.account_fixtures import access_token
    from tests.factories.executions import ExecutionFactory

    execution = ExecutionFactory.create(status="running", attempt=1)
    found = str(execution.pk), access_token(execution.user)
    connections.close_all()
    return found


async def _watch(
    url: str, token: str, execution: str, rate: int, seconds: int, viewers: int
) -> tuple[list[Viewer], dict[str, Any]]:
    await _answering(url, token)
    seen = [Viewer() for _ in range(viewers)]
    tasks = [asyncio.create_task(_view(url, token, viewer)) for viewer in seen]
    printer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bench_logs", "print", execution, str(rate), str(seconds)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await printer.communicate()
    _, pending = await asyncio.wait(tasks, timeout=120)
    for task in pending:
        task.cancel()
    return seen, json.loads(out)


async def _answering(url: str, token: str) -> None:
    import websockets

    deadline = time.monotonic() + 60
    while True:
        try:
            async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {token}"}):
                return
        except OSError:
            assert time.monotonic() < deadline, "the web server did not answer"
            await asyncio.sleep(0.1)


async def _view(url: str, token: str, viewer: Viewer) -> None:
    import websockets

    while not viewer.ended:
        viewer.connections += 1
        leave = time.monotonic() + random.uniform(*DROP_EVERY)
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with websockets.connect(
                f"{url}?after={viewer.last}", additional_headers=headers, max_size=None, compression=None
            ) as socket:
                while time.monotonic() < leave:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(1):
                            viewer.take(str(await socket.recv()))
                    if viewer.ended:
                        return
        except (OSError, websockets.WebSocketException):
            continue


def _print_lines(execution_id: str, rate: int, seconds: int) -> None:
    """The printing process: what a worker does with an agent's lines."""
    import django

    django.setup()
    from uuid import UUID

    from executions import dispatch, logs
    from executions.logs import LogWriter, Stream
    from executions.models import Execution
    from executions.runners.base import Ending, RunOutcome

    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with LogWriter(UUID(execution_id), 1) as writer:
        for tick in range(seconds * 100):
            for _ in range(rate // 100):
                writer.write(Stream.STDOUT, f"at={time.time():.6f} a line of about sixty characters, as agents write")
            time.sleep(max(began + (tick + 1) / 100 - time.monotonic(), 0))
        took = time.monotonic() - began
    execution = Execution.objects.select_related("version").get(pk=execution_id)
    dispatch.finish(execution, RunOutcome(Ending.EXITED, exit_code=0, output=b"{}"), writer.lines)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    stored = len(writer.lines)
    assert logs.read(execution.pk, stored - 1).last_seq == stored
    print(json.dumps({"lines": stored, "seconds": took, "grown": grown}))  # noqa: T201


def _report(seen: list[Viewer], printed: dict[str, Any], rate: int, seconds: int) -> None:
    delays = sorted(delay for viewer in seen for delay in viewer.delays)
    p95 = delays[int(len(delays) * 0.95)] if delays else float("inf")
    whole = sum(viewer.last == printed["lines"] and viewer.ended for viewer in seen)
    reached = printed["lines"] / printed["seconds"]
    _figure("log_lines_per_second", f"{reached:.0f} lines/s baseline {rate}", reached / rate, 1, reached >= 0.98 * rate)
    gaps, repeats = sum(viewer.gaps for viewer in seen), sum(viewer.repeats for viewer in seen)
    _figure("log_gaps", f"{gaps} lines baseline 0", gaps, 0, gaps == 0)
    _figure("log_duplicates", f"{repeats} lines baseline 0", repeats, 0, repeats == 0)
    _figure("log_viewers_with_all", f"{whole} viewers baseline {len(seen)}", whole / len(seen), 1, whole == len(seen))
    connections = sum(viewer.connections for viewer in seen)
    _figure("log_connections", f"{connections} connections baseline {len(seen)}", connections / len(seen), 1, True)
    goal = GOAL_SECONDS * 1000
    _figure("log_print_to_socket_p95", f"{p95 * 1000:.0f} ms baseline {goal:.0f}", p95 / GOAL_SECONDS, 1, p95 < 0.25)
    per_line = printed["grown"] / printed["lines"]
    _figure("log_worker_memory_per_line", f"{per_line:.0f} bytes baseline 400", per_line / 400, 1, per_line < 400)


def _figure(name: str, text: str, ratio: float, goal: float, ok: bool) -> None:
    print(f"figure {name} {text} ratio {ratio:.2f} goal {goal} {'ok' if ok else 'short'}", flush=True)  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:2] == ["print"]:
        _print_lines(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        given = [int(text) for text in sys.argv[1:]]
        main(*(given + [10_000, 60, 50][len(given) :]))
