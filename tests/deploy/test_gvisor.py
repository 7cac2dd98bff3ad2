"""How gVisor is registered with an engine that we start: beside what the machine's own configuration says."""

import json
from pathlib import Path

import pytest

from deploy.local import gvisor

OURS = {"path": "/opt/runsc", "runtimeArgs": ["--platform=ptrace", "--network=none"]}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The machine's configuration, which is not there yet."""
    monkeypatch.setattr(gvisor, "program", lambda: "/opt/runsc")
    monkeypatch.setattr(gvisor, "MACHINES", tmp_path / "daemon.json")
    return tmp_path / "daemon.json"


def written(options: list[str]) -> object:
    option, file = options
    assert option == "--config-file"
    return json.loads(Path(file).read_text())


def test_a_machine_without_a_configuration(tmp_path: Path) -> None:
    assert written(gvisor.options(tmp_path)) == {"runtimes": {"runsc": OURS}}


def test_the_machines_own_stays(machine: Path, tmp_path: Path) -> None:
    machine.write_text('{"mtu": 1400, "runtimes": {"kata": {"path": "/opt/kata"}, "runsc": {"path": "/own/runsc"}}}')
    assert written(gvisor.options(tmp_path)) == {
        "mtu": 1400,
        "runtimes": {"kata": {"path": "/opt/kata"}, "runsc": {"path": "/own/runsc"}},
    }
    assert "kata" in machine.read_text()


@pytest.mark.parametrize("content", ["{broken", "[]"])
def test_a_broken_one_is_for_the_engine_to_complain_about(machine: Path, tmp_path: Path, content: str) -> None:
    machine.write_text(content)
    assert gvisor.options(tmp_path) == []


def test_where_it_is_not_installed_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gvisor, "program", lambda: None)
    assert gvisor.options(tmp_path) == []
