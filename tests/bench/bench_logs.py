"""A log at full speed: `python -m tests.bench.bench_logs [LINES_PER_SECOND] [SECONDS] [VIEWERS]`.

One process prints, the web server of the Procfile serves, and viewers over real WebSockets drop and come back. Counted
are gaps, duplicates and disorder over all viewers; measured is the time from print to a viewer's socket, on the first
and the last line of each message. All share the machine: what each of them took of it is told, too.
"""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from deploy.local.engines import Postgres, Valkey, free_port

ROOT = Path(__file__).resolve().parents[2]
GOAL_SECONDS = 0.25
VIEWERS_AT_ONCE = 25  # in one process
WARM_UP_SECONDS = 2.0


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
        server, port = _serve(stack)
        url = f"ws://127.0.0.1:{port}/ws/executions/{execution}/"
        asyncio.run(_answering(url, token))
        before = _used(server)["cpu"]
        watching = asyncio.run(_watch(url, token, execution, rate, seconds, viewers))
        after = _used(server)
        _report(*watching, after | {"cpu": after["cpu"] - before}, rate)


def _serve(stack: ExitStack) -> tuple[int, int]:
    """The web process of the Procfile: its process id and its port."""
    port = free_port()
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    command = lines["web"].replace("${HOST:-127.0.0.1}", "127.0.0.1").replace("${PORT:-8000}", str(port))
    server = subprocess.Popen(
        [sys.executable, "-m", *shlex.split(command)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    stack.callback(server.wait)
    stack.callback(server.terminate)
    return server.pid, port


def _used(process: int) -> dict[str, float]:
    """Seconds of a core that a process took so far, and the most memory it had (bytes)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return {"cpu": (int(fields[11]) + int(fields[12])) / ticks, "memory": int(status["VmHWM"].split()[0]) * 1024}


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
) -> tuple[list[dict[str, Any]], dict[str, Any], float]:
    """What each viewer saw, what the printing process says, and seconds of a core that the viewers took."""
    counts = [min(VIEWERS_AT_ONCE, viewers - start) for start in range(0, viewers, VIEWERS_AT_ONCE)]
    groups = [await _python("tests.bench.log_viewers", url, token, str(count)) for count in counts]
    outputs = [asyncio.create_task(group.communicate()) for group in groups]
    await asyncio.sleep(WARM_UP_SECONDS)
    printer = await _python("tests.bench.bench_logs", "print", execution, str(rate), str(seconds))
    printed, _ = await printer.communicate()
    seen = [json.loads((await output)[0]) for output in outputs]
    return [one for group in seen for one in group["viewers"]], json.loads(printed), sum(one["cpu"] for one in seen)


async def _python(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )


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
    before = _used(os.getpid())
    with LogWriter(UUID(execution_id), 1) as writer:
        for tick in range(seconds * 100):
            for _ in range(rate // 100):
                writer.write(Stream.STDOUT, f"at={time.time():.6f} a line of about sixty characters, as agents write")
            time.sleep(max(began + (tick + 1) / 100 - time.monotonic(), 0))
        took = time.monotonic() - began
    execution = Execution.objects.select_related("version").get(pk=execution_id)
    dispatch.finish(execution, RunOutcome(Ending.EXITED, exit_code=0, output=b"{}"), writer.lines)
    after = _used(os.getpid())
    grown = after["memory"] - before["memory"]
    stored = len(writer.lines)
    assert logs.read(execution.pk, stored - 1).last_seq == stored
    used = after["cpu"] - before["cpu"]
    print(json.dumps({"lines": stored, "seconds": took, "grown": grown, "cpu": used}))  # noqa: T201


def _report(
    seen: list[dict[str, Any]], printed: dict[str, Any], viewing: float, server: dict[str, float], rate: int
) -> None:
    delays = sorted(delay for viewer in seen for delay in viewer["delays"])
    p95 = delays[int(len(delays) * 0.95)] if delays else float("inf")
    whole = sum(viewer["last"] == printed["lines"] and viewer["ended"] for viewer in seen)
    reached = printed["lines"] / printed["seconds"]
    _figure("log_lines_per_second", f"{reached:.0f} lines/s baseline {rate}", reached / rate, 1, reached >= 0.98 * rate)
    for name in ("gaps", "repeats", "disorder"):
        count = sum(viewer[name] for viewer in seen)
        _figure(f"log_{name}", f"{count} lines baseline 0", count, 0, count == 0)
    _figure("log_viewers_with_all", f"{whole} viewers baseline {len(seen)}", whole / len(seen), 1, whole == len(seen))
    connections = sum(viewer["connections"] for viewer in seen)
    _figure("log_connections", f"{connections} connections baseline {len(seen)}", connections / len(seen), 1, True)
    goal = GOAL_SECONDS * 1000
    _figure("log_print_to_socket_p95", f"{p95 * 1000:.0f} ms baseline {goal:.0f}", p95 / GOAL_SECONDS, 1, p95 < 0.25)
    per_line = printed["grown"] / printed["lines"]
    _figure("log_worker_memory_per_line", f"{per_line:.0f} bytes baseline 400", per_line / 400, 1, per_line < 400)
    memory = server["memory"] / 1024**2
    _figure("log_server_memory_most", f"{memory:.0f} MiB baseline 300", memory / 300, 1, memory < 300)
    for name, cpu in (("server", server["cpu"]), ("worker", printed["cpu"]), ("viewers", viewing)):
        share = cpu / printed["seconds"]
        _figure(f"log_cores_of_{name}", f"{share:.2f} cores baseline {os.cpu_count()}", share / os.cpu_count(), 1, True)


def _figure(name: str, text: str, ratio: float, goal: float, ok: bool) -> None:
    print(f"figure {name} {text} ratio {ratio:.2f} goal {goal} {'ok' if ok else 'short'}", flush=True)  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:2] == ["print"]:
        _print_lines(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        given = [int(text) for text in sys.argv[1:]]
        main(*(given + [10_000, 60, 50][len(given) :]))
