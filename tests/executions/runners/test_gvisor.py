"""Agents under gVisor, on a Docker engine of the tests' own that has it."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from uuid_utils.compat import uuid7

from deploy.local import gvisor
from executions import dispatch, documents, logs
from executions.models import Execution, Node
from executions.nodes.reporting import Reporter
from executions.runners.base import Control, Ending, InputFile, RunSpec, Stop
from executions.runners.docker import DockerRunner, hot
from executions.runners.docker.engine import Engine
from tests.executions import example_images
from tests.executions.conftest import eventually
from tests.executions.images import python, script
from tests.executions.own_engine import OwnDocker, own_docker
from tests.executions.runners.recording import LIMITS, Ran, Recorder
from tests.executions.worker_process import worker_process
from tests.factories.executions import version_of

pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("gvisor"),
    pytest.mark.skipif(gvisor.program() is None, reason="gVisor is not installed (Debian: apt-get install runsc)"),
]
RUNSC = gvisor.NAME


@pytest.fixture(scope="module")
def own(scripted: str) -> Iterator[OwnDocker]:
    """An engine that has gVisor, the scripted image and the examples."""
    with own_docker(scripted, example_images.ensure("node"), example_images.ensure("shell")) as engine:
        yield engine
        eventually(lambda: _sandboxes(engine) == [])


def _sandboxes(engine: OwnDocker) -> list[str]:
    """gVisor's processes for that engine, which it has left behind where a container was removed too early."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if line.startswith("runsc-") and str(engine.data) in line]


@pytest.fixture(scope="module")
def runner(own: OwnDocker) -> DockerRunner:
    return DockerRunner(own.url)


@pytest.fixture(autouse=True)
def _nothing_left_there(own: OwnDocker, db: None) -> Iterator[None]:
    """No test leaves a container on that engine."""
    yield
    with own.client() as client:
        eventually(lambda: client.containers(all=True) == [])


def run(runner: DockerRunner, image: str, document: Any, **changes: Any) -> Ran:
    """Under gVisor, with LIMITS or the spec changed by `changes`."""
    sink, control = changes.pop("sink", Recorder()), changes.pop("control", None) or Control()
    more = {name: changes.pop(name) for name in ("hosts", "secrets", "files", "gives_files", "gpus") if name in changes}
    spec = RunSpec(uuid7(), 1, image, documents.dump(document), replace(LIMITS, **changes), runtime=RUNSC, **more)
    began = time.monotonic()
    try:
        return Ran(runner.run(spec, sink, control), sink, time.monotonic() - began)
    finally:
        control.close()


def test_it_runs_in_a_kernel_of_its_own(runner: DockerRunner, scripted: str) -> None:
    program = "import json, os, sys\nprint('a line')\nprint('an error', file=sys.stderr)\n"
    program += "print(json.dumps([open('/proc/version').read(), os.getuid(), sorted(os.listdir('/sys/class/net'))]))"
    ran = run(runner, scripted, python(program))
    kernel, user, networks = ran.output
    assert kernel.startswith("Linux version 4.4.0 ")  # what gVisor says it is, on any machine
    assert (user, networks) == (10001, ["lo"])
    assert (ran.sink.stdout, ran.sink.stderr) == (["a line"], ["an error"])


def test_the_examples_in_node_and_shell(runner: DockerRunner) -> None:
    node = run(runner, example_images.ensure("node"), {"text": "ababa 😀"}, memory=512 * 1024 * 1024)
    assert node.output == {"characters": 7, "common": {"a": 3, "b": 2, " ": 1, "😀": 1}}, node
    shell = run(runner, example_images.ensure("shell"), {"text": "x"})
    assert shell.output["bytes"] == len('{"text":"x"}'), shell


def test_secrets_and_files(runner: DockerRunner, scripted: str) -> None:
    program = """
import json
value, text = open("/run/secrets/KEY").read(), open("/work/in/1.txt").read()
refused = []
for path in ("/run/secrets/KEY", "/work/in/1.txt", "/work/in/2.txt", "/usr/x"):
    try: open(path, "a")
    except OSError: refused.append(path)
open("/work/out/copy.txt", "w").write(text * 2)
print("it is " + value)
print(json.dumps([len(value), text, len(refused)]))
"""
    ran = run(
        runner,
        scripted,
        python(program),
        secrets={"KEY": "sk-live-0123456789"},
        files=(InputFile("1.txt", 5, lambda: BytesIO(b"input")),),
        gives_files=True,
    )
    assert ran.output == [18, "input", 4]
    assert ran.sink.stdout == ["it is [KEY]"]
    assert ran.outcome.folder is not None
    with contextlib.closing(ran.outcome.folder) as folder, folder.open("copy.txt", 100) as file:
        assert file.read() == b"inputinput"


def test_how_it_ends(runner: DockerRunner, own: OwnDocker, scripted: str) -> None:
    crashed = run(runner, scripted, python("raise SystemExit(7)"))
    assert (crashed.outcome.ending, crashed.outcome.exit_code, crashed.outcome.message) == (Ending.EXITED, 7, "")
    late = run(runner, scripted, script("trap '' 1 2 15; echo begun; sleep 60; sleep 60"), timeout=2)
    assert (late.outcome.ending, late.sink.stdout) == (Ending.TIMED_OUT, ["begun"])
    control = Control()
    seen: list[str] = []

    def cancel(line: str) -> None:
        seen.extend(_sandboxes(own))
        control.stop(Stop.CANCELLED)

    sink = Recorder(when_line=cancel)
    cancelled = run(runner, scripted, script("echo begun; sleep 60"), sink=sink, control=control)
    assert (cancelled.outcome.ending, cancelled.seconds < 10) == (Ending.CANCELLED, True)
    assert seen  # it was in a sandbox of gVisor's, which is gone when all tests are over
    flood = run(runner, scripted, script("yes twelve bytes"), written=4 * 1024 * 1024)
    assert (flood.outcome.ending, len(flood.sink.lines)) == (Ending.OUTPUT_LIMIT, 50_000)


def test_memory_and_processes_are_bounded_and_it_says_so(runner: DockerRunner, scripted: str) -> None:
    greedy = run(runner, scripted, python("x = bytearray(400 * 1024 * 1024)")).outcome
    # The machine's word for it comes late at times, after gVisor has gone.
    beyond_memory = (
        (Ending.OUT_OF_MEMORY, 137, "The agent used more than the 96 MiB of memory it has."),
        (Ending.EXITED, 137, "Under gVisor that is also how an agent ends that uses more memory than it has."),
    )
    assert (greedy.ending, greedy.exit_code, greedy.message) in beyond_memory
    many = run(runner, scripted, script("for i in $(seq 60); do sleep 0.2 & done; wait; echo '[60]'"))
    assert many.output == [60]
    bomb = run(runner, scripted, script("b() { b | b & }; b; sleep 60"), timeout=20).outcome
    # Whichever bound it meets first, its tasks or its memory, it ends for that one.
    assert (bomb.ending, bomb.exit_code, bomb.message) in (
        (Ending.EXITED, 2, "Under gVisor that is also how an agent ends that starts too many processes."),
        *beyond_memory,
    )


def test_what_it_cannot_have_is_refused_before_it_runs(runner: DockerRunner, scripted: str) -> None:
    for more, what in (({"hosts": ("api.test:443",)}, "network"), ({"gpus": 1}, "GPU")):
        ran = run(runner, scripted, script("echo '{}'"), **more)
        assert (ran.outcome.ending, ran.sink.handles) == (Ending.INFRASTRUCTURE, [])
        assert ran.outcome.message == f"gVisor gives agents no {what} on this machine, which this version asks for."


def test_a_waiting_container_is_frozen_and_thawed(
    own: OwnDocker, scripted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "RUNS_EACH", 1)
    monkeypatch.setattr(hot, "WARM_SECONDS", 0.0)
    runner = DockerRunner(own.url, hot_memory=LIMITS.memory)
    try:
        run(runner, scripted, script("echo '{}'"))
        eventually(lambda: len(runner._hot) == 1)
        runner.tend()
        ((waiting,),) = runner._hot._waiting.values()
        assert waiting.frozen
        ran = run(runner, scripted, script("echo '[1]'"))
        assert (ran.sink.handles, ran.output) == ([waiting.container], [1])
    finally:
        runner.close()


@pytest.mark.django_db(transaction=True)
def test_another_worker_goes_on_with_a_run_whose_worker_was_killed(own: OwnDocker, scripted: str) -> None:
    program = "import time\nfor n in range(300):\n    print(n, flush=True)\n    time.sleep(0.01)\nprint('[300]')"
    environment = {"DOCKER_HOST": own.url, "EXECUTION_RUNTIMES": RUNSC}
    with worker_process(**environment) as worker:
        version = version_of(scripted, runtime=RUNSC, output_schema={})
        execution = dispatch.request(version.agent.creator, version.agent, python(program))
        assert execution.needs == [RUNSC]
        eventually(lambda: len(logs.read(execution.pk).lines) > 50, 30)
        assert Node.objects.get().labels == [RUNSC]
        worker.kill()
    own_row = Execution.objects.filter(pk=execution.pk)
    with worker_process(**environment):
        own_row.update(lease_until=timezone.now() - timedelta(seconds=1))
        eventually(partial(own_row.filter(status="succeeded").exists), 30)
    execution.refresh_from_db()
    assert (execution.output, execution.attempt, execution.failures) == ([300], 2, 0)
    written = [line.text for line in logs.read(execution.pk).lines if line.stream == "stdout"]
    assert written == [str(n) for n in range(300)]


def test_a_node_tells_what_its_runtimes_can_do(own: OwnDocker, settings: Settings) -> None:
    settings.EXECUTION_RUNTIMES = [RUNSC, "runc"]
    node = Reporter(1, Engine(own.url)).report()
    assert (node.engine_ok, node.labels) == (True, ["runc", "runc+gpu", "runc+net", "runsc"])
    settings.EXECUTION_RUNTIME = "kata"
    node = Reporter(1, Engine(own.url)).report()
    assert not node.engine_ok
    assert node.engine.endswith(" does not have the runtime kata: register it.")
