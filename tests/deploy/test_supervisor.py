"""The Procfile runner: prefixes, restarts, an end that leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.supervisor import ProcessError, Supervisor, run

ROOT = Path(__file__).resolve().parents[2]


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.02)


def read(log: Path) -> bytes:
    return log.read_bytes() if log.exists() else b""


def make(tmp_path: Path, procfile: str) -> Supervisor:
    path = tmp_path / "Procfile"
    path.write_text(procfile)
    supervisor = Supervisor(tmp_path / "logs", dict(os.environ), echo=False)
    supervisor.load(path)
    return supervisor


def ended(supervisor: Supervisor) -> bool:
    child = supervisor.processes[0].child
    return child is not None and child.poll() is not None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_procfile_lines_become_processes_and_comments_do_not(tmp_path: Path) -> None:
    supervisor = make(tmp_path, "# comment: no\nweb: sleep 60\nworker: sleep 60 # and: more\n")
    assert [(p.name, p.command) for p in supervisor.processes] == [
        ("web", "sleep 60"),
        ("worker", "sleep 60 # and: more"),
    ]


def test_output_goes_to_the_process_log(tmp_path: Path) -> None:
    supervisor = make(tmp_path, "talker: sh -c 'echo out; echo err >&2; echo $SERVICE; sleep 60'\n")
    supervisor.start()
    try:
        wait_for(lambda: read(tmp_path / "logs/talker.log") == b"out\nerr\ntalker\n")
    finally:
        supervisor.stop()


def test_a_crashed_process_is_started_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # given
    supervisor = make(tmp_path, "worker: sleep 60\n")
    supervisor.start()
    first = supervisor.processes[0].child
    assert first is not None
    try:
        # when
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        supervisor.check()
        # then
        second = supervisor.processes[0].child
        assert second is not None
        assert second.pid != first.pid
        assert second.poll() is None
        assert "worker stopped (exit code -9); starting it again." in capsys.readouterr().out
    finally:
        supervisor.stop()


def test_a_process_that_keeps_crashing_ends_the_run_with_its_name(tmp_path: Path) -> None:
    supervisor = make(tmp_path, "broken: false\n")
    supervisor.start()
    for _ in range(3):
        wait_for(lambda: ended(supervisor))
        supervisor.check()
    wait_for(lambda: ended(supervisor))
    with pytest.raises(ProcessError, match=r"broken keeps stopping \(exit code 1\)"):
        supervisor.check()


def test_stop_ends_a_process_that_ignores_the_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.setattr("deploy.local.supervisor.GRACE_SECONDS", 0.5)
    supervisor = make(tmp_path, """stubborn: sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'\n""")
    supervisor.start()
    child = supervisor.processes[0].child
    assert child is not None
    wait_for(lambda: read(tmp_path / "logs/stubborn.log") == b"ready\n")
    # when
    supervisor.stop()
    # then
    assert child.returncode == -signal.SIGKILL


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    # given a supervisor in a process of its own
    (tmp_path / "Procfile").write_text("web: sh -c 'echo $$; exec sleep 60'\n")
    code = (
        "import os,sys,time;from pathlib import Path;from deploy.local.supervisor import Supervisor;"
        "p=Path(sys.argv[1]);s=Supervisor(p/'logs',dict(os.environ),echo=False);s.load(p/'Procfile');s.start();time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    log = tmp_path / "logs/web.log"
    wait_for(lambda: read(log).endswith(b"\n"))
    pid = int(log.read_text())
    assert alive(pid)
    # when
    parent.kill()
    parent.wait()
    # then
    wait_for(lambda: not alive(pid))


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match=r"failed with exit code 3 .*\nwhat went wrong$"):
        run("sh -c 'echo what went wrong; exit 3'", dict(os.environ), tmp_path / "step.log")
