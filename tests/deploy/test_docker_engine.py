"""Finding a Docker engine: the given one or none, and a sentence that says what to do."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import docker_engine
from deploy.local.engines import EngineError

pytestmark = [
    pytest.mark.docker,
    # docker-py leaves the socket of a refused connection to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def collect() -> Iterator[None]:
    """Let the warning about such a socket come here, where it is expected, and not in a later test."""
    yield
    gc.collect()


def test_a_given_engine_that_does_not_answer_is_not_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineError, match=r"No Docker engine answers at DOCKER_HOST=.*Start it, or unset DOCKER_HOST"):
        docker_engine.ensure(tmp_path)


def test_without_root_and_without_docker_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # given nothing that answers, no dockerd on the PATH, and an ordinary user
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(docker_engine, "SOCKET", f"unix://{tmp_path}/none.sock")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    # then
    with pytest.raises(EngineError, match=r"Docker is not installed\. Install Docker Engine .* docker \$USER"):
        docker_engine.ensure(tmp_path)


def test_an_installed_engine_that_only_root_could_start_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(docker_engine, "SOCKET", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    program = tmp_path / "dockerd"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="only root can start one"):
        docker_engine.ensure(tmp_path)


def test_the_engine_of_this_machine_is_found(tmp_path: Path) -> None:
    host, _child = docker_engine.ensure(tmp_path)
    assert docker_engine.answers(host)
