"""Tests of My Agent; `npm ci && npm run build` in its folder makes the module."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MODULE = Path(__file__).parent / "agent.wasm"


def run(document: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agentnexus_agent.local.wasi", str(MODULE)],
        input=json.dumps(document),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_words_are_counted_and_the_longest_come_first() -> None:
    ran = run({"text": "a quick brown fox, a dog", "longest": 2})
    assert json.loads(ran.stdout) == {"words": 6, "longest": ["brown", "quick"]}


def test_a_text_without_words_is_refused() -> None:
    ran = run({"text": " \n "})
    assert (ran.returncode, ran.stderr) == (1, "error: The text holds no words.\n")
