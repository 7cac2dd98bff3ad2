"""The images on a real Docker engine: building them, and running every example in a sandbox like the platform's."""

import json
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.types import Ulimit
from jsonschema import Draft202012Validator

from deploy.agents import build
from deploy.agents.images import base, engine
from deploy.agents.images.engine import Engine
from deploy.agents.images.errors import ImageBuildError
from deploy.agents.images.manifests import read_sources
from deploy.agents.new import create
from deploy.agents.samples import sources

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("agent-images"), pytest.mark.timeout(300)]

SANDBOX: dict[str, Any] = {
    "mem_limit": "512m",
    "memswap_limit": "512m",
    "nano_cpus": 500_000_000,
    "pids_limit": 64,
    "read_only": True,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m"},  # noqa: S108  inside the container
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "network_mode": "none",
    "ipc_mode": "private",
    "init": True,
    "ulimits": [Ulimit(name="nofile", soft=256, hard=256), Ulimit(name="fsize", soft=64 << 20, hard=64 << 20)],
}


def _quiet(_line: str) -> None:
    """A report that nobody reads."""


def _riscv(_engine: Engine) -> str:
    return "riscv64"


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=120)
    yield client
    client.close()


@pytest.fixture(scope="module")
def agents() -> dict[str, build.BuiltAgent]:
    return {agent.slug: agent for agent in build.build_all(report=_quiet)}


def run_in_sandbox(client: docker.DockerClient, image: str, document: Any, command: list[str] | None = None) -> Any:
    """Exit code, stdout and stderr of a container that gets the document on stdin."""
    api = client.api
    host = api.create_host_config(**SANDBOX)
    config = api.create_container_config(image, command, user="10001:10001", stdin_open=True, host_config=host)
    config.update(StdinOnce=True, AttachStdin=True, AttachStdout=True, AttachStderr=True)
    container = api.create_container_from_config(config)["Id"]
    try:
        attached = api.attach_socket(container, params={"stdin": 1, "stream": 1})
        stream = attached._sock
        api.start(container)
        stream.sendall(json.dumps(document).encode())
        stream.shutdown(socket.SHUT_WR)
        code = api.wait(container, timeout=120)["StatusCode"]
        attached.close()
        stream.close()
        return code, api.logs(container, stderr=False), api.logs(container, stdout=False).decode()
    finally:
        api.remove_container(container, force=True, v=True)


@pytest.mark.parametrize("slug", [source.slug for source in sources() if source.module is None])
def test_every_example_runs_in_the_sandbox(
    client: docker.DockerClient, agents: dict[str, build.BuiltAgent], slug: str
) -> None:
    # given the built image, by its id as the platform runs it
    agent = agents[slug]
    image_id = agent.image.partition("@")[2]

    # when its example is run with 512 MB, half a CPU, no network and nothing to write to
    code, stdout, log = run_in_sandbox(client, image_id, agent.manifest["example_input"])

    # then the last line of stdout is a result as the schema has it, and the log was worth watching
    assert code == 0, log
    Draft202012Validator(agent.manifest["output_schema"]).validate(json.loads(stdout.splitlines()[-1]))
    assert len(log.splitlines()) >= 8


@pytest.mark.parametrize("slug", [source.slug for source in sources() if source.module is None])
def test_images_run_as_nobody_special_and_are_compiled(
    client: docker.DockerClient, agents: dict[str, build.BuiltAgent], slug: str
) -> None:
    image = client.images.get(agents[slug].image.partition("@")[2])

    assert image.attrs["Config"]["User"] == "10001:10001"
    files = [Path(line) for line in _listing(client, image.id)]
    assert not [path for path in files if path.name.startswith("test_")]
    assert {path.suffix for path in files} == {".py", ".pyc"}
    assert sum(path.suffix == ".py" for path in files) == sum(path.suffix == ".pyc" for path in files)


def _listing(client: docker.DockerClient, image: str) -> list[str]:
    code, stdout, _ = run_in_sandbox(client, image, {}, ["find", "/agent", "-type", "f"])
    assert code == 0
    return list(stdout.decode().splitlines())


def test_the_largest_csv_fits_into_the_sandbox(
    client: docker.DockerClient, agents: dict[str, build.BuiltAgent]
) -> None:
    row = "{n},2024-01-{d:02d},shop {s},{a},{b:.2f}"
    rows = [row.format(n=n, d=n % 28 + 1, s=n % 9, a=n * 7 % 31, b=n % 97 * 1.25) for n in range(1, 19_000)]
    text = "id,day,shop,amount,price\n" + "\n".join(rows)
    assert 550_000 < len(text) < 700_000

    code, stdout, log = run_in_sandbox(client, agents["csv-profiler"].image.partition("@")[2], {"csv": text})

    assert code == 0, log
    assert json.loads(stdout)["overview"]["rows"] == 18_999
    assert len(stdout) < 1024 * 1024


def test_the_base_image_explains_itself_and_has_the_sdk(client: docker.DockerClient) -> None:
    name = base.ensure(Engine.connect()).name

    code, _, log = run_in_sandbox(client, name, {})
    assert (code, log.strip()) == (1, "This is the base image: build your agent on it and set CMD.")

    program = "import agentnexus_agent, os; print(os.getuid(), agentnexus_agent.__cached__)"
    code, stdout, log = run_in_sandbox(client, name, {}, ["python3", "-c", program])
    assert code == 0, log
    assert stdout.startswith(b"10001 /usr/local/lib/agentnexus/agentnexus_agent/__pycache__/")


def test_a_second_build_does_nothing(agents: dict[str, build.BuiltAgent]) -> None:
    lines: list[str] = []

    again = build.build_all(report=lines.append)

    assert {agent.slug: agent.image for agent in again} == {slug: agent.image for slug, agent in agents.items()}
    images = [agent for agent in again if not agent.module]
    assert len(lines) == len(images) + 1
    assert all("up to date" in line for line in lines)


@pytest.fixture
def one_agent(tmp_path: Path, client: docker.DockerClient) -> Iterator[Path]:
    """A folder with one agent begun from the template, whose images are removed afterwards."""
    slug = f"test-{uuid.uuid4().hex[:10]}"
    folder = create(f"t{slug[1:]}", tmp_path)
    yield folder
    for image in client.images.list(f"agentnexus/{folder.name.replace('_', '-')}"):
        client.images.remove(image.id, force=True)


def test_a_changed_agent_gets_a_new_image_and_the_old_one_keeps_its_name(
    client: docker.DockerClient, one_agent: Path
) -> None:
    # given an agent that was built
    (first,) = build.build_all(report=_quiet, folder=one_agent.parent)

    # when a file of its image changes, and then one that is not part of it
    (one_agent / "agent.py").write_text((one_agent / "agent.py").read_text() + "# changed\n")
    (second,) = build.build_all(report=_quiet, folder=one_agent.parent)
    (one_agent / "README.md").write_text("Changed as well.\n")
    (third,) = build.build_all(report=_quiet, folder=one_agent.parent)

    # then only the first change made an image, and the published one can still be found by a name of its repository
    assert first.image != second.image == third.image
    repository, _, old_id = first.image.partition("@")
    old_tags = client.images.get(old_id).tags
    assert [tag.rpartition(":")[0] for tag in old_tags] == [repository]
    assert f"{repository}:latest" in client.images.get(second.image.partition("@")[2]).tags


def test_building_anew_keeps_a_name_for_the_image_before(client: docker.DockerClient, one_agent: Path) -> None:
    (first,) = build.build_all(report=_quiet, folder=one_agent.parent)
    sources_of = read_sources(one_agent.parent)
    connected = Engine.connect()

    second = build._build(connected, sources_of[0], base.ensure(connected), True, _quiet)

    assert second.image != first.image
    repository, _, old_id = first.image.partition("@")
    assert [tag.rpartition(":")[0] for tag in client.images.get(old_id).tags] == [repository]


def test_a_new_agent_runs_as_the_template_says(client: docker.DockerClient, one_agent: Path) -> None:
    (agent,) = build.build_all(report=_quiet, folder=one_agent.parent)

    code, stdout, log = run_in_sandbox(client, agent.image.partition("@")[2], agent.manifest["example_input"])

    assert (code, json.loads(stdout)) == (0, {"words": 9, "longest": ["brown", "jumps", "quick"]}), log


def test_a_dockerfile_that_fails_shows_the_end_of_its_output(one_agent: Path) -> None:
    dockerfile = one_agent / "Dockerfile"
    # In the first step, for the engine would keep the images of those before it.
    start = "FROM ${BASE_IMAGE}\n"
    fails = f"{start}RUN echo before && echo the reason && false\n"
    dockerfile.write_text(dockerfile.read_text().replace(start, fails))

    with pytest.raises(ImageBuildError) as caught:
        build.build_all(report=_quiet, folder=one_agent.parent)

    assert "could not be built" in str(caught.value)
    assert "  the reason\n" in str(caught.value)


def test_a_registry_that_does_not_answer_costs_only_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a registry that takes connections and says nothing
    monkeypatch.setattr(engine, "FIRST_ANSWER", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        # when an image is pulled from it, then the pull is given up
        assert Engine.connect().pull(f"127.0.0.1:{port}/python:3.12") == "no answer within 0 s"


def test_a_registry_that_refuses_is_told_with_its_reason() -> None:
    reason = Engine.connect().pull("127.0.0.1:1/python:3.12")

    assert reason is not None
    assert "connection refused" in reason


def test_an_unknown_base_image_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_BASE_IMAGE", "127.0.0.1:1/nothing:1")

    with pytest.raises(ImageBuildError, match=r"AGENT_BASE_IMAGE=127\.0\.0\.1:1/nothing:1 is not here and cannot be"):
        base.ensure(Engine.connect())


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("unix:///nowhere/docker.sock", "No Docker engine is running here"),
        ("tcp://127.0.0.1:1", "No Docker engine is running here"),
        ("nonsense", "does not answer"),
    ],
)
def test_an_engine_that_does_not_answer_is_explained(monkeypatch: pytest.MonkeyPatch, host: str, sentence: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)

    with pytest.raises(ImageBuildError, match=sentence):
        build.build_all(report=_quiet)


def test_a_socket_that_may_not_be_used_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_host: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(engine, "_knock", refuse)

    with pytest.raises(ImageBuildError, match="add yourself to its group with `sudo usermod -aG docker"):
        Engine.connect()


def test_without_debian_and_registry_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = Engine.connect()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(base, "PYTHON", "127.0.0.1:1/python:3.12-slim")
    monkeypatch.setattr(base, "STANDIN_REPOSITORY", f"agentnexus/none-{uuid.uuid4().hex[:8]}")

    with pytest.raises(ImageBuildError) as caught:
        base.ensure(connected, refresh=True)

    text = str(caught.value)
    assert "127.0.0.1:1/python:3.12-slim cannot be pulled" in text
    assert "This machine has no apt-cache: a stand-in can be made on Debian and Ubuntu only." in text
    assert "set AGENT_BASE_IMAGE" in text


def test_an_engine_of_another_architecture_gets_no_stand_in_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = Engine.connect()
    monkeypatch.setattr(base, "PYTHON", "127.0.0.1:1/python:3.12-slim")
    monkeypatch.setattr(base, "STANDIN_REPOSITORY", f"agentnexus/none-{uuid.uuid4().hex[:8]}")
    monkeypatch.setattr(Engine, "architecture", _riscv)

    with pytest.raises(ImageBuildError, match="the Docker engine runs riscv64"):
        base.ensure(connected, refresh=True)
