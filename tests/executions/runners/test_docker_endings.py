"""Every way a run can end, with real containers."""

import threading
import time
from pathlib import Path

import docker
import pytest

from executions.runners.base import Control, Ending, Stop
from executions.runners.docker import DockerRunner
from tests.executions import images
from tests.executions.conftest import eventually
from tests.executions.images import python, script
from tests.executions.runners.recording import Ran, Recorder, run, stop_after

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Labels name the installation by its database."""


def test_output_and_both_streams(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("echo out; echo err >&2; echo '{\"ok\": true}'; echo last"))
    assert (ran.outcome.ending, ran.outcome.exit_code, ran.output) == (Ending.EXITED, 0, {"ok": True})
    assert (ran.sink.stdout, ran.sink.stderr) == (["out", "last"], ["err"])
    assert len(ran.sink.handles) == 1


def test_crash_keeps_the_log_and_the_code(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, python("print('before'); raise SystemExit(7)"))
    assert (ran.outcome.ending, ran.outcome.exit_code) == (Ending.EXITED, 7)
    assert ran.sink.stdout == ["before"]


def test_memory_beyond_the_limit(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, python("print('eating'); x = bytearray(400 * 1024 * 1024)"))
    assert (ran.outcome.ending, ran.outcome.exit_code) == (Ending.OUT_OF_MEMORY, 137)
    assert ran.outcome.message == "The agent used more than the 96 MiB of memory it has."
    assert ran.sink.stdout == ["eating"]


def test_scratch_space_counts_as_memory(runner: DockerRunner, scripted: str) -> None:
    fill = "exec dd if=/dev/zero of=/tmp/a bs=1M count=60"
    ran = run(runner, scripted, script(fill), memory=40 * 1024 * 1024)
    assert (ran.outcome.ending, ran.outcome.exit_code) == (Ending.OUT_OF_MEMORY, 137)


def test_memory_used_up_by_a_child(runner: DockerRunner, scripted: str) -> None:
    eat = "python3 -c 'x = bytearray(400 * 1024 * 1024)'"
    failed = run(runner, scripted, script(f"{eat}; exit 3"))
    assert (failed.outcome.ending, failed.outcome.exit_code) == (Ending.OUT_OF_MEMORY, 3)
    recovered = run(runner, scripted, script(f"{eat}; echo '[1]'"))
    assert (recovered.outcome.ending, recovered.output) == (Ending.EXITED, [1])


def test_killed_by_itself_is_not_out_of_memory(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("kill -9 $$; sleep 5"))
    assert (ran.outcome.ending, ran.outcome.exit_code) == (Ending.EXITED, 137)


def test_deadline(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("echo begun; sleep 60"), timeout=1)
    assert ran.outcome.ending == Ending.TIMED_OUT
    assert ran.outcome.message == "The agent ran longer than the 1 seconds it has."
    assert ran.sink.stdout == ["begun"]
    assert ran.seconds < 15


def test_deadline_of_an_agent_that_ignores_signals_and_closed_its_streams(runner: DockerRunner, scripted: str) -> None:
    text = """
import os, signal, time
for s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)
for f in (0, 1, 2): os.close(f)
time.sleep(60)
"""
    ran = run(runner, scripted, python(text), timeout=1)
    assert ran.outcome.ending == Ending.TIMED_OUT
    assert ran.seconds < 15


def test_garbage_output(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script(r"yes $(printf '\377\376no-json') | head -n 500; echo '{broken'"))
    assert (ran.outcome.ending, ran.outcome.exit_code, ran.outcome.output) == (Ending.EXITED, 0, None)


def test_no_output(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("true"))
    assert (ran.outcome.ending, ran.outcome.output, ran.sink.lines) == (Ending.EXITED, None, [])


def test_endless_output_is_stopped(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("yes twelve bytes"), written=4 * 1024 * 1024)
    assert (ran.outcome.ending, ran.outcome.message) == (Ending.OUTPUT_LIMIT, "The agent wrote more than 4 MiB.")
    assert len(ran.sink.lines) == 50_000
    assert ran.sink.events == ["The log ends here: more than 1 MiB or 50,000 lines were written. The run goes on."]
    assert ran.seconds < 15


def test_one_huge_line_is_stopped(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("tr '\\0' x < /dev/zero"))
    assert ran.outcome.ending == Ending.OUTPUT_LIMIT
    assert ran.outcome.message == "The agent wrote a line of more than 1 MiB to its output."


def test_large_output_arrives_whole(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, python("import json; print(json.dumps({'x': 'y' * 1_000_000}))"))
    assert ran.output == {"x": "y" * 1_000_000}


def test_fork_bomb(runner: DockerRunner, scripted: str) -> None:
    bomb = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    ran = run(runner, scripted, python(bomb), timeout=2)
    assert ran.outcome.ending == Ending.TIMED_OUT
    assert ran.seconds < 15


def test_big_input_is_read_whole(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("wc -c < /tmp/input", filler="x" * 8_000_000), memory=512 * 1024 * 1024)
    assert ran.output > 8_000_000


def test_agent_that_never_reads_a_big_input(runner: DockerRunner, engine: docker.APIClient, base_image: str) -> None:
    dockerfile = f'FROM {base_image}\nCMD ["/bin/sh", "-c", "sleep 0.3; echo \'[1]\'"]'
    with images.built(engine, "agentnexus-test/deaf", dockerfile) as deaf:
        ended = run(runner, deaf, {"filler": "x" * 20_000_000})
        assert (ended.outcome.ending, ended.output) == (Ending.EXITED, [1])
    dockerfile = f'FROM {base_image}\nCMD ["/bin/sh", "-c", "sleep 60"]'
    with images.built(engine, "agentnexus-test/deaf", dockerfile) as deaf:
        hung = run(runner, deaf, {"filler": "x" * 20_000_000}, timeout=1)
        assert hung.outcome.ending == Ending.TIMED_OUT
        assert hung.seconds < 15


@pytest.mark.parametrize("reason", list(Stop))
def test_stop_while_running(runner: DockerRunner, scripted: str, reason: Stop) -> None:
    control = Control()
    sink = Recorder(when_line=lambda text: control.stop(reason))
    ran = run(runner, scripted, script("echo begun; yes > /dev/null"), sink=sink, control=control)
    assert ran.outcome.ending.value == reason.value
    assert ran.sink.stdout == ["begun"]
    assert ran.seconds < 15
    if reason == Stop.LOST:
        _reap(runner, ran)


def test_stop_while_the_output_floods(runner: DockerRunner, scripted: str) -> None:
    """Killing while somebody is attached and does not read would hang the engine."""
    control = Control()
    stop_after(control, 1)
    ran = run(runner, scripted, script("yes >&2"), control=control, written=1 << 40, written_lines=1 << 40)
    assert ran.outcome.ending == Ending.CANCELLED
    assert ran.seconds < 15


def test_stop_before_it_begins(runner: DockerRunner, scripted: str) -> None:
    control = Control()
    control.stop(Stop.CANCELLED)
    ran = run(runner, scripted, script("echo never"), control=control)
    assert (ran.outcome.ending, ran.sink.handles) == (Ending.CANCELLED, [])


def test_a_run_nobody_holds_any_more_is_left_to_the_reaper(runner: DockerRunner, scripted: str) -> None:
    ran = run(runner, scripted, script("sleep 60"), sink=Recorder(held=False))
    assert ran.outcome.ending == Ending.LOST
    assert ran.seconds < 15
    _reap(runner, ran)


def _reap(runner: DockerRunner, ran: Ran) -> None:
    """A run that is lost leaves its container to the reaper, for another worker may have taken it over."""
    assert {one.handle for one in runner.containers()} == set(ran.sink.handles)
    for handle in ran.sink.handles:
        runner.remove(handle)


def test_missing_image(runner: DockerRunner) -> None:
    ran = run(runner, f"127.0.0.1:1/nobody/nothing@sha256:{'0' * 64}", {})
    assert ran.outcome.ending == Ending.IMAGE
    assert ran.outcome.message.startswith("The image 127.0.0.1:1/nobody/nothing could not be pulled: ")
    assert ran.sink.events[0] == "Pulling 127.0.0.1:1/nobody/nothing"


@pytest.mark.parametrize("reference", ["agentnexus/x", "agentnexus/x:latest", "@sha256:1", "x@md5:1"])
def test_reference_without_digest(runner: DockerRunner, reference: str) -> None:
    ran = run(runner, reference, {})
    assert (ran.outcome.ending, ran.outcome.message) == (
        Ending.IMAGE,
        "The version does not name its image by digest.",
    )


def test_image_id_counts_only_under_the_repository_it_was_built_as(runner: DockerRunner, scripted: str) -> None:
    digest = scripted.partition("@")[2]
    ran = run(runner, f"127.0.0.1:1/somebody/else@{digest}", script("echo '{}'"))
    assert ran.outcome.ending == Ending.IMAGE


def test_stop_while_pulling(runner: DockerRunner, silent_registry: str) -> None:
    control = Control()
    stop_after(control, 0.5)
    ran = run(runner, f"{silent_registry}/a/b@sha256:{'0' * 64}", {}, control=control)
    assert ran.outcome.ending == Ending.CANCELLED
    assert ran.seconds < 15


def test_image_whose_command_does_not_exist(runner: DockerRunner, engine: docker.APIClient, base_image: str) -> None:
    with images.built(engine, "agentnexus-test/nocommand", f'FROM {base_image}\nCMD ["/no/such/program"]') as image:
        ran = run(runner, image, {})
    assert (ran.outcome.ending, ran.outcome.exit_code) == (Ending.EXITED, 127)
    assert "/no/such/program" in ran.sink.stderr[0]


def test_image_without_command(runner: DockerRunner, engine: docker.APIClient, base_image: str) -> None:
    with images.built(engine, "agentnexus-test/silent", f"FROM {base_image}\nENTRYPOINT []\nCMD []") as image:
        ran = run(runner, image, {})
    assert (ran.outcome.ending, ran.outcome.message) == (
        Ending.IMAGE,
        "The image says no command to run: set ENTRYPOINT or CMD.",
    )


def test_no_engine(tmp_path: Path) -> None:
    ran = run(DockerRunner(f"unix://{tmp_path}/no.sock"), f"agentnexus/x@sha256:{'0' * 64}", {})
    assert (ran.outcome.ending, ran.outcome.message) == (Ending.UNAVAILABLE, "The Docker engine cannot be reached.")


def test_container_killed_from_outside_reports_the_signal(
    runner: DockerRunner, scripted: str, engine: docker.APIClient
) -> None:
    sink = Recorder()

    def kill() -> None:
        eventually(lambda: sink.stdout)
        engine.kill(sink.handles[0])

    killer = threading.Thread(target=kill)
    killer.start()
    ran = run(runner, scripted, script("echo begun; sleep 60"), sink=sink)
    killer.join()
    assert (ran.outcome.ending, ran.outcome.exit_code) == (Ending.EXITED, 137)


def test_several_at_once(runner: DockerRunner, scripted: str) -> None:
    results: dict[int, object] = {}

    def one(number: int) -> None:
        results[number] = run(runner, scripted, script(f"sleep 0.5; echo '[{number}]'")).output

    threads = [threading.Thread(target=one, args=[number]) for number in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: [number] for number in range(4)}
    assert time.monotonic() - began < 20
