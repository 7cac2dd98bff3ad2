"""`agentnexus-agent run` as far as it needs no Docker: what it is given, modules, and running without a sandbox."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agentnexus_agent.local import schemas
from agentnexus_agent.local.errors import UsageError
from agentnexus_agent.local.limits import MIB, chosen

AGENTS = Path(__file__).parents[2]
HANG = "(loop (br 0))"
GROW = "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))) unreachable"


def run(*arguments: str, stdin: bytes = b"", code: int = 0) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "agentnexus_agent.local", "run", *arguments],
        input=stdin.decode(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(AGENTS / "sdk"), "DOCKER_HOST": "unix:///nowhere.sock"},
    )
    assert ran.returncode == code, ran.stderr
    return ran


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An agent without an image."""
    (tmp_path / "agent.py").write_text(
        "import os, sys\nprint('hello'); print(open(0).read() if len(sys.argv) == 1 else '')\n"
    )
    fields: dict[str, Any] = {"n": {"type": "integer", "maximum": 9}}
    schema = {"type": "object", "required": ["n"], "properties": fields}
    manifest = {"input_schema": schema, "output_schema": schema, "example_input": {"n": 3}}
    (tmp_path / "agent.json").write_text(json.dumps(manifest))
    return tmp_path


def test_without_a_sandbox_it_warns_and_runs_the_example(folder: Path) -> None:
    ran = run("--no-sandbox", str(folder))

    assert (json.loads(ran.stdout), "WARNING: no sandbox" in ran.stderr) == ({"n": 3}, True)
    assert "hello" in ran.stderr.splitlines()


@pytest.mark.parametrize(
    ("stdin", "sentence"),
    [
        (b'{"n": 3', "-: The input is not JSON: Expecting ',' delimiter at line 1, column 8."),
        (b'{"n": 10}', "/n: 10 is greater than the maximum of 9"),
        (b"{}", "/: 'n' is a required property"),
        (b"", "No input arrived"),
        (b'{"n": 3, "more": 1e999}', "only finite numbers"),
    ],
)
def test_a_wrong_input_is_refused_before_anything_runs(folder: Path, stdin: bytes, sentence: str) -> None:
    ran = run("--no-sandbox", str(folder), "--input", "-", stdin=stdin, code=2)

    assert (sentence in ran.stderr, "hello" in ran.stderr) == (True, False)


def test_a_result_that_does_not_fit_is_told_from_a_failure(folder: Path) -> None:
    (folder / "agent.py").write_text('print(\'{"n": "three"}\')')
    assert "/n: 'three' is not of type 'integer'" in run("--no-sandbox", str(folder), code=3).stderr
    (folder / "agent.py").write_text("raise SystemExit('no')")
    assert "The agent stopped with exit code 1." in run("--no-sandbox", str(folder), code=1).stderr
    (folder / "agent.py").write_text("import time; time.sleep(60)")
    assert "ran longer than" in run("--no-sandbox", str(folder), "--timeout", "1", code=4).stderr


def test_an_agent_in_a_package_is_run_as_its_image_does() -> None:
    ran = run("--no-sandbox", str(AGENTS / "secrets_scrubber"))
    assert "report" in json.loads(ran.stdout)


def test_a_module_runs_without_docker() -> None:
    ran = run(str(AGENTS / "json_patch"))
    assert (json.loads(ran.stdout)["equal"], "done in" in ran.stderr) == (False, True)


@pytest.mark.parametrize(
    ("body", "options", "code", "sentence"),
    [
        (HANG, ["--timeout", "1"], 4, "ran longer than the 1 seconds"),
        (GROW, ["--memory", "16m"], 5, "more than the 16 MiB"),
        ("unreachable", [], 1, "The module was stopped"),
    ],
)
def test_a_modules_endings(tmp_path: Path, body: str, options: list[str], code: int, sentence: str) -> None:
    from wasmtime import wat2wasm

    text = f'(module (memory (export "memory") 1) (func (export "_start") {body}))'
    (tmp_path / "agent.wasm").write_bytes(wat2wasm(text))

    assert sentence in run(str(tmp_path / "agent.wasm"), "--input", "-", *options, stdin=b"{}", code=code).stderr


@pytest.mark.parametrize("arguments", [["--memory", "8m"], ["--cpus", "3"], ["--timeout", "0"], ["--memory", "lots"]])
def test_more_than_a_version_may_ask_for_is_refused(arguments: list[str]) -> None:
    assert f"{arguments[0]} {arguments[1]}: give between" in run("image", *arguments, code=2).stderr


def test_a_version_may_choose() -> None:
    limits = chosen("1g", "1.25", "600")
    assert (limits.memory, limits.nano_cpus, limits.timeout) == (1024 * MIB, 1_250_000_000, 600)
    with pytest.raises(UsageError):
        chosen(None, "0.05", None)


def test_many_problems_are_counted_and_long_ones_cut() -> None:
    schema = {"additionalProperties": {"enum": ["a" * 500]}}
    found = schemas.problems({f"m~/{n}": n for n in range(14)}, schema)
    assert (found[0][:12], found[-1], max(map(len, found)) < 220) == ("/m~0~1" + "0: 0 i", "… and 4 more", True)
