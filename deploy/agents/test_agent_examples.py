"""The examples in other languages keep the convention."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent / "examples"
COMMANDS = {
    "node": ["node", str(EXAMPLES / "node" / "agent.mjs")],
    "shell": ["sh", str(EXAMPLES / "shell" / "agent.sh")],
}


def run(language: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    program = COMMANDS[language][0]
    assert shutil.which(program), f"{program} is needed to test the examples"
    return subprocess.run(COMMANDS[language], input=stdin, capture_output=True, timeout=60, check=False)


def test_node_counts_characters() -> None:
    done = run("node", '{"text": "ababa 😀"}'.encode())

    assert (done.returncode, done.stderr.decode().splitlines()) == (0, ["Read 7 characters", "Found 4 different ones"])
    assert json.loads(done.stdout) == {"characters": 7, "common": {"a": 3, "b": 2, " ": 1, "😀": 1}}


def test_shell_hashes_its_input() -> None:
    done = run("shell", b'{"text": "x"}')

    assert (done.returncode, done.stderr.decode().splitlines()) == (0, ["Read 13 bytes", "Hashed them"])
    assert json.loads(done.stdout) == {"bytes": 13, "sha256": hashlib.sha256(b'{"text": "x"}').hexdigest()}


@pytest.mark.parametrize("language", COMMANDS)
def test_what_is_no_json_is_refused(language: str) -> None:
    done = run(language, b"hello")

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines()[-1].startswith("error: ")
