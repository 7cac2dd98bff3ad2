"""`agentnexus-agent run` puts the same walls around an agent as the platform, and tells failures apart."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import pytest
from agentnexus_agent.local import limits as local_limits
from agentnexus_agent.local.errors import Exit
from agentnexus_agent.local.sandbox import create_arguments
from agentnexus_agent.local.transcript import Transcript as LocalTranscript
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from executions import limits
from executions.runners.base import RunSpec
from executions.runners.docker import confinement
from executions.runners.transcript import Transcript
from marketplace.catalogue import demands
from tests.executions import images
from tests.executions.images import python, script

SDK = Path(__file__).parents[3] / "deploy" / "agents" / "sdk"


@dataclass(frozen=True)
class Ran:
    pid: int
    returncode: int
    stdout: str
    stderr: str


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "agentnexus_agent.local", "run", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SDK), "DOCKER_HOST": settings.DOCKER_HOST, **environment},
    )


def run(*arguments: str, stdin: Any, **environment: str) -> Ran:
    with start(*arguments, **environment) as process:
        stdout, stderr = process.communicate(json.dumps(stdin), timeout=60)
    return Ran(process.pid, process.returncode, stdout, stderr)


def left(engine: docker.APIClient, pid: int) -> list[Any]:
    """Containers of the command with this process id."""
    return list(engine.containers(all=True, filters={"name": f"agentnexus-local-{pid}-"}))


@pytest.fixture
def tag(db: None, scripted: str) -> str:
    """The scripted image by its name; the database names the installation in labels."""
    return scripted.partition("@")[0]


def _plain(value: Any) -> Any:
    """Without what is not set, which the two clients write differently, and with the profile as a document."""
    if isinstance(value, dict):
        plain = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in plain.items() if item not in (None, 0, -1, "", "no", [], {})}
    if isinstance(value, list):
        return sorted((_plain(item) for item in value), key=str)
    if isinstance(value, str) and value.startswith("seccomp="):
        return {"seccomp": json.loads(value.removeprefix("seccomp="))}
    return value


@pytest.mark.docker
def test_the_container_is_the_platforms_own(engine: docker.APIClient, tag: str) -> None:
    volumes, made = ["/data"], []
    spec = RunSpec(uuid4(), 1, f"{tag}@sha256:0", b"{}", limits.current())
    ours = confinement.container_config(engine, tag, spec, volumes, time.time())
    command = create_arguments(tag, f"local-{uuid4().hex}", local_limits.Limits(), volumes)
    try:
        made.append(engine.create_container_from_config(ours, name=f"walls-{uuid4().hex}")["Id"])
        made.append(subprocess.check_output(["docker", *command], text=True).strip())
        platform, local = (engine.inspect_container(container) for container in made)
    finally:
        for container in made:
            engine.remove_container(container, force=True)

    hosts = [_plain(each["HostConfig"]) for each in (platform, local)]
    kept = [host.pop("LogConfig") for host in hosts]  # the platform's is for a worker that takes over
    assert [each["Type"] for each in kept] == ["json-file", "none"]
    assert hosts[1] == hosts[0]
    configs = [_plain(each["Config"]) for each in (platform, local)]
    assert configs[0].pop("Labels").keys() - configs[1].pop("Labels").keys() == {
        f"{confinement.LABEL}.{name}" for name in ("instance", "execution", "attempt", "deadline")
    }
    assert configs[1] == configs[0]


def test_the_figures_and_their_bounds_are_the_platforms_own() -> None:
    figures = asdict(local_limits.Limits())
    assert figures.pop("fuel") == settings.EXECUTION_WASM_FUEL
    assert figures.pop("file") == settings.FILE_BYTES
    theirs = asdict(limits.current())
    assert figures == {name: theirs[name] for name in figures}
    assert (local_limits.USER, local_limits.DEPTH) == (confinement.USER, limits.DOCUMENT_DEPTH)
    assert (demands.LEAST_MEMORY, demands.maximum_memory()) == (local_limits.LEAST_MEMORY, local_limits.MOST_MEMORY)
    assert (
        demands.LEAST_NANO_CPUS,
        demands.maximum_nano_cpus(),
    ) == (local_limits.LEAST_NANO_CPUS, local_limits.MOST_NANO_CPUS)
    assert (demands.LEAST_SECONDS, demands.maximum_seconds()) == (local_limits.LEAST_SECONDS, local_limits.MOST_SECONDS)


PIECES = st.sampled_from(
    [
        b"{}",
        b'{"a":1}',
        b"3",
        b'{"a":NaN}',
        b"1e999",
        b'"\\ud800"',
        b"[" * 70,
        b"]" * 70,
        b"text",
        b" ",
        b"\n",
        b"\r\n",
        b"\xff",
    ]
)


@given(chunks=st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.lists(PIECES, max_size=6).map(b"".join))))
def test_what_is_written_is_read_as_the_platform_reads_it(chunks: list[tuple[str, bytes]]) -> None:
    ours: list[str] = []
    theirs: list[str] = []
    small = replace(limits.current(), output=150, written=400, written_lines=12)
    own = replace(local_limits.Limits(), output=150, written=400, written_lines=12)
    platform = Transcript(small, lambda source, text, at: theirs.append(text), theirs.append)

    def line(raw: bytes) -> None:
        ours.append(raw.decode("utf-8", "replace").removesuffix("\r"))

    local = LocalTranscript(own, line, lambda: None)
    for source, chunk in chunks:
        platform.feed(source, chunk)
        local.feed(source, chunk)

    assert bool(local.overflow) == bool(platform.overflow)
    if not local.overflow:
        assert (local.close(), ours) == (platform.close(), theirs)


@pytest.mark.docker
@pytest.mark.parametrize(
    ("text", "arguments", "code", "said"),
    [
        ("""echo '{"kept": "log"}'; echo seen >&2; echo '{"user": '$(id -u)'}'""", [], Exit.OK, "done in"),
        ("echo broken >&2; exit 7", [], Exit.AGENT, "The agent stopped with exit code 7."),
        ("echo no document", [], Exit.OUTPUT, "wrote no result"),
        ("echo '{}'; sleep 30", ["--timeout", "1"], Exit.TIMED_OUT, "ran longer than the 1 seconds"),
        ("tail /dev/zero", ["--memory", "32m"], Exit.OUT_OF_MEMORY, "more than the 32 MiB"),
        ("head -c 40000000 /dev/zero >&2", [], Exit.OUTPUT, "wrote more than"),
    ],
)
def test_each_ending_has_its_exit_code(
    engine: docker.APIClient, tag: str, text: str, arguments: list[str], code: int, said: str
) -> None:
    ran = run(tag, "--input", "-", *arguments, stdin=script(text))

    assert (ran.returncode, said in ran.stderr.splitlines()[-1]) == (code, True), ran.stderr[-2000:]
    assert ran.stdout == ('{\n  "user": 10001\n}\n' if code == Exit.OK else "")
    assert ("seen" in ran.stderr and '{"kept": "log"}' in ran.stderr) == (code == Exit.OK)
    assert left(engine, ran.pid) == []


@pytest.mark.docker
def test_an_interrupted_run_leaves_nothing(engine: docker.APIClient, tag: str) -> None:
    with start(tag, "--input", "-") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(script("echo live >&2; sleep 60")))
        process.stdin.close()
        assert process.stderr.readline() == "live\n"
        assert len(left(engine, process.pid)) == 1
        process.terminate()
        assert (process.wait(20), "interrupted" in process.stderr.read()) == (Exit.INTERRUPTED, True)
    assert left(engine, process.pid) == []


@pytest.mark.docker
def test_a_command_that_is_not_there_is_named(engine: docker.APIClient, tag: str) -> None:
    with images.built(engine, "agentnexus-test/no-command", f'FROM {tag}\nCMD ["/no/such/program"]') as reference:
        ran = run(reference.partition("@")[0], "--input", "-", stdin={})

    assert (ran.returncode, "The image's command was not found" in ran.stderr) == (Exit.AGENT, True), ran.stderr


@pytest.mark.docker
def test_without_an_image_or_an_engine_it_says_so() -> None:
    missing = run("localhost:9/nothing", "--input", "-", stdin={})
    assert (missing.returncode, "There is no image localhost:9/nothing here" in missing.stderr) == (6, True)
    nowhere = run("anything", "--input", "-", stdin={}, DOCKER_HOST="unix:///nowhere.sock")
    assert (nowhere.returncode, "No Docker engine answers" in nowhere.stderr) == (6, True)


FILE = {"type": "string", "format": "file"}
MANIFEST = {
    "hosts": ["api.example.com:443"],
    "input_schema": {
        "type": "object",
        "properties": {"script": {"type": "string"}, "a": FILE, "more": {"type": "array", "items": FILE}},
    },
    "output_schema": {"type": "object", "properties": {"report": {**FILE, "x-max-bytes": 100}}},
}


@pytest.mark.docker
def test_files_and_secrets_as_on_the_platform(tag: str, tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "a.csv").write_text("a,b")
    (tmp_path / "b.csv").write_text("c,d")
    common = ["--manifest", str(tmp_path / "agent.json"), "--input", "-", tag]
    more = [f"--file=a={tmp_path}/a.csv", f"--file=more={tmp_path}/a.csv", f"--file=more={tmp_path}/b.csv"]
    text = """
import json, os
document = json.load(open("/tmp/input"))
print(open("/run/secrets/KEY").read(), os.listdir("/sys/class/net"), flush=True)
try: open("/work/in/x", "w")
except OSError as error: print(type(error).__name__, flush=True)
os.mkdir("/work/out/deep")
open("/work/out/deep/r.csv", "w").write("".join(open(one["path"]).read() for one in [document["a"], *document["more"]]))
print(json.dumps({"report": "deep/r.csv", "seen": document["more"][1]}))
"""
    # given a secret of the environment, and a folder for what comes
    told = ["--secret=KEY", "--output-dir", str(tmp_path / "out")]
    ran = run(*common, *more, *told, stdin=python(text), KEY="sk-live-0123456789")
    assert ran.returncode == Exit.OK, ran.stderr
    assert json.loads(ran.stdout)["seen"] == {
        "path": "/work/in/3.csv",
        "name": "b.csv",
        "size": 3,
        "media_type": "text/csv",
    }
    assert (tmp_path / "out" / "deep" / "r.csv").read_text() == "a,ba,bc,d"
    for line in (
        "[KEY] ['lo']",
        "OSError",
        "agentnexus-agent: agent.json declares api.example.com:443; there is no network here without --network",
        f"agentnexus-agent: file of the result: {tmp_path}/out/deep/r.csv",
    ):
        assert f"{line}\n" in ran.stderr
    assert "sk-live" not in ran.stderr + ran.stdout
    # and what the platform would not take is not taken here either; with the network asked for there is one
    for program, sentence in (
        ("ln -s /etc/passwd /work/out/r", "'r', which is not taken: it is a link."),
        ("head -c 101 /dev/zero > /work/out/r", "it has 101 bytes; at most 100 are allowed."),
        ("ls /sys/class/net", "there is no such file in the output folder."),
    ):
        ran = run(*common, "--network", stdin=script(f'{program}; echo \'{{"report": "r"}}\''))
        assert (ran.returncode, sentence in ran.stderr) == (Exit.OUTPUT, True), ran.stderr
    assert "eth0\n" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--file=b=x"], "where the input schema of agent.json has a file NAME."),
        (["--file=a=/nowhere"], "The file of a cannot be read: /nowhere: No such file or directory."),
        (["--secret=NO_SUCH_ONE"], "there is no such variable in the environment."),
        (["--secret=a/../b=x"], "--secret: give NAME=VALUE"),
        (["--secret=KEY="], "--secret KEY: it is empty."),
        (["--secrets-file=/nowhere"], "The file of secrets /nowhere cannot be read."),
    ],
)
def test_files_and_secrets_that_are_not_there(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    (tmp_path / "agent.json").write_text(json.dumps(MANIFEST))
    ran = run("--manifest", str(tmp_path / "agent.json"), "--input", "-", *arguments, "some/image", stdin={})
    assert (ran.returncode, sentence in ran.stderr) == (Exit.USAGE, True), ran.stderr
