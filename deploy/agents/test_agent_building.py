"""What goes into an image, and what a manifest may hold; no engine is needed."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from deploy.agents.base import packages, standin
from deploy.agents.images.contexts import read_context
from deploy.agents.images.errors import ImageBuildError
from deploy.agents.images.manifests import read_manifest, read_sources
from deploy.agents.new import NewAgentError, create, main
from deploy.agents.samples import AGENTS

DEPENDS = """\
python3
  PreDepends: python3-minimal
  Depends: python3.11
  Depends: libpython3-stdlib
python3-minimal
  PreDepends: python3.11-minimal
  Depends: dpkg
python3.11
 |Depends: media-types
  Depends: mime-support
  Depends: libc6:amd64
tzdata
 |Depends: debconf
  Depends: <debconf-2.0>
    cdebconf
    debconf
libc6
  Depends: libgcc-s1
  Conflicts: libc6:i386
<debconf-2.0>
"""


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_dependencies_are_read_with_the_first_of_alternatives() -> None:
    found = packages.parse_depends(DEPENDS)

    assert found["python3"] == ("python3-minimal", "python3.11", "libpython3-stdlib")
    assert found["python3.11"] == ("media-types", "libc6")
    assert found["tzdata"] == ("debconf",)
    assert found["libc6"] == ("libgcc-s1",)


def test_the_closure_leaves_out_what_only_installing_needs() -> None:
    found = packages.closure(packages.parse_depends(DEPENDS), ["tzdata", "python3"])

    assert found == (
        "tzdata",
        "python3",
        "python3-minimal",
        "python3.11",
        "libpython3-stdlib",
        "python3.11-minimal",
        "media-types",
        "libc6",
        "libgcc-s1",
    )


class Answer:
    """Stands in for subprocess.run: every program ends so."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.done = subprocess.CompletedProcess[str]([], code, stdout, stderr)

    def __call__(self, *_arguments: object, **_options: object) -> subprocess.CompletedProcess[str]:
        return self.done


def answer(monkeypatch: pytest.MonkeyPatch, code: int, stdout: str = "", stderr: str = "") -> None:
    """Let every program be there, and apt answer so."""
    monkeypatch.setattr(shutil, "which", "/usr/bin/{}".format)
    monkeypatch.setattr(subprocess, "run", Answer(code, stdout, stderr))


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "sentence"),
    [
        (
            100,
            "",
            "E: No packages found\n",
            r"apt cannot list .* \(E: No packages found\): run `apt-get update` as root",
        ),
        (0, "base-files\n", "", "apt knows no python3 package: run `apt-get update` as root"),
        (0, "python3\n  Depends: python3.9\npython3.9\n", "", r"has Python 3\.9, and agents need 3\.11 or newer"),
    ],
)
def test_what_keeps_apt_from_making_a_stand_in_is_told(
    monkeypatch: pytest.MonkeyPatch, code: int, stdout: str, stderr: str, sentence: str
) -> None:
    answer(monkeypatch, code, stdout, stderr)

    with pytest.raises(ImageBuildError, match=sentence):
        packages.choose()


def test_a_download_that_fails_is_told_with_its_last_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "choose", lambda: ("python3",))
    monkeypatch.setattr(subprocess, "run", Answer(100, "", "W: slow\nE: Unable to fetch some archives\n"))

    with pytest.raises(ImageBuildError, match="cannot be downloaded: E: Unable to fetch some archives"):
        standin.make(tmp_path)


def test_the_context_is_what_dockerignore_leaves(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM x\n",
        ".dockerignore": "# comment\n*\n!*.py\n!parts/*.py\ntest_*.py\n",
        "agent.py": "a",
        "test_agent.py": "t",
        "README.md": "r",
        "parts/one.py": "1",
        "__pycache__/agent.cpython-311.pyc": "c",
    }
    context = read_context(folder(tmp_path, files))

    # .dockerignore goes along: by it the engine knows to leave itself and the Dockerfile out of the image.
    assert context.names == (".dockerignore", "Dockerfile", "agent.py", "parts/one.py")


def test_links_are_left_out(tmp_path: Path) -> None:
    folder(tmp_path, {"Dockerfile": "FROM x\n", "agent.py": "a"})
    (tmp_path / "passwd").symlink_to("/etc/passwd")

    assert read_context(tmp_path).names == ("Dockerfile", "agent.py")


def test_the_digest_follows_content_name_mode_and_inputs_only(tmp_path: Path) -> None:
    folder(tmp_path, {"Dockerfile": "FROM x\n", "agent.py": "a"})
    first = read_context(tmp_path).digest("base")

    (tmp_path / "agent.py").touch()
    assert read_context(tmp_path).digest("base") == first
    assert read_context(tmp_path).digest("other base") != first

    (tmp_path / "agent.py").chmod(0o755)
    executable = read_context(tmp_path).digest("base")
    assert executable != first

    (tmp_path / "agent.py").rename(tmp_path / "other.py")
    assert read_context(tmp_path).digest("base") not in {first, executable}


def test_the_archive_is_the_same_for_the_same_files(tmp_path: Path) -> None:
    folder(tmp_path, {"Dockerfile": "FROM x\n", "agent.py": "a"})
    first = read_context(tmp_path).archive()
    (tmp_path / "agent.py").touch()

    assert read_context(tmp_path).archive() == first
    with tarfile.open(fileobj=BytesIO(first)) as archive:
        assert [(member.name, member.mode, member.uid, member.mtime) for member in archive] == [
            ("Dockerfile", 0o644, 0, 0),
            ("agent.py", 0o644, 0, 0),
        ]


def manifest(**changes: Any) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((AGENTS / "template" / "my_agent" / "agent.json").read_text())
    return {key: value for key, value in {**template, **changes}.items() if value is not ...}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold a JSON object"),
        (json.dumps(manifest(slug=...)), "lacks 'slug'"),
        (json.dumps(manifest(slug="My Agent")), "'slug' may hold"),
        (json.dumps(manifest(access_duration=True)), "'access_duration' must be of type int"),
        (json.dumps(manifest(prices=[])), "'prices' must be of type dict"),
    ],
)
def test_a_faulty_manifest_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "agent.json"
    path.write_text(text)

    with pytest.raises(ImageBuildError, match=sentence) as caught:
        read_manifest(path)

    assert str(path) in str(caught.value)


def test_two_agents_with_one_slug_are_refused(tmp_path: Path) -> None:
    folder(tmp_path, {"one/agent.json": json.dumps(manifest()), "two/agent.json": json.dumps(manifest())})

    with pytest.raises(ImageBuildError, match="two and one have the same slug, my-agent"):
        read_sources(tmp_path)


def test_a_new_agent_is_the_template_under_its_own_name(tmp_path: Path) -> None:
    target = create("word-weigher", tmp_path)

    assert target == tmp_path / "word_weigher"
    assert sorted(path.name for path in target.iterdir()) == [
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "__init__.py",
        "agent.json",
        "agent.py",
        "test_word_weigher.py",
    ]
    made = read_manifest(target / "agent.json")
    assert (made["slug"], made["name"]) == ("word-weigher", "Word Weigher")
    assert "def word_weigher(" in (target / "agent.py").read_text()
    assert 'CMD ["python3", "-m", "word_weigher.agent"]' in (target / "Dockerfile").read_text()
    assert not any("my_agent" in path.read_text() or "my-agent" in path.read_text() for path in target.iterdir())


def run_tests(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", "--rootdir", str(folder),
         "-c", "/dev/null", "--import-mode=importlib", str(folder)],
        capture_output=True,
        env=environment,
        timeout=60,
        check=False,
        cwd=folder,
    )  # fmt: skip


def test_a_new_agent_runs_and_passes_its_tests(tmp_path: Path) -> None:
    create("word-weigher", tmp_path)
    environment = {"PYTHONPATH": f"{AGENTS / 'sdk'}:{tmp_path}", "PATH": "/usr/bin:/bin"}

    ran = subprocess.run(
        [sys.executable, "-m", "word_weigher.agent"],
        input=b'{"text": "two words"}',
        capture_output=True,
        env=environment,
        timeout=30,
        check=False,
    )
    tested = run_tests(tmp_path, environment)

    assert json.loads(ran.stdout) == {"words": 2, "longest": ["words", "two"]}
    assert tested.returncode == 0, tested.stdout.decode()


def test_a_new_module_is_built_and_passes_its_tests(tmp_path: Path) -> None:
    target = create("word-weigher", tmp_path, kind="wasm")
    assert json.loads((target / "package.json").read_text())["name"] == "word-weigher"
    assert not any("json-patch" in path.read_text() for path in target.rglob("*") if path.is_file())
    environment = {**os.environ, "PYTHONPATH": f"{AGENTS / 'sdk'}"}

    for command in ("npm ci --no-audit --no-fund --loglevel=error", "npm run --silent build"):
        subprocess.run(command.split(), cwd=target, check=True, capture_output=True, timeout=100)
    ran = subprocess.run(
        [sys.executable, "-m", "agentnexus_agent.local", "run"],
        capture_output=True,
        env=environment,
        timeout=30,
        check=False,
        cwd=target,
    )
    tested = run_tests(tmp_path, environment)

    assert json.loads(ran.stdout) == {"words": 9, "longest": ["brown", "jumps", "quick"]}, ran.stderr.decode()
    assert (tested.returncode, b"2 passed" in tested.stdout) == (0, True), tested.stdout.decode()


@pytest.mark.parametrize(
    "name", ["My-Agent", "my_agent", "-agent", "agent-", "a--b", "", "1st", "class", "../up", "a" * 51]
)
def test_names_that_cannot_be_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NewAgentError, match="cannot be a name"):
        create(name, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_an_agent_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    create("twice", tmp_path)
    (tmp_path / "twice" / "agent.py").write_text("mine")

    with pytest.raises(NewAgentError, match="exists already"):
        create("twice", tmp_path)

    assert (tmp_path / "twice" / "agent.py").read_text() == "mine"


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["csv-profiler"]) == 1
    assert "exists already" in capsys.readouterr().err
