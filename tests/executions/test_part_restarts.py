"""What `make crash` tries at every step, at a few: a worker is killed, the engine, Redis
(emptied) and PostgreSQL restart during a run."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.docker
@pytest.mark.timeout(400)
def test_runs_outlive_a_restart_of_each_part(scripted: str) -> None:
    """On engines of its own; the image is there already."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash", "short"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "6 held, 0 did not, of 6 at 6 points" in done.stdout, done.stdout + done.stderr[-4000:]
    assert done.returncode == 0
