"""Running the sample agents as programs, for their tests."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from deploy.agents.images.manifests import Source, read_sources

AGENTS = Path(__file__).resolve().parent
DEADLINE = 100  # seconds


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left: its log's lines, its stdout as it was, and the exit code."""

    code: int
    stdout: bytes
    log: list[str]

    @property
    def result(self) -> Any:
        """The last line of stdout that is JSON, which is the agent's result."""
        assert self.code == 0, "\n".join(self.log)
        return json.loads(self.stdout.splitlines()[-1])


@cache
def sources() -> list[Source]:
    """The sample agents."""
    return read_sources(AGENTS)


def source(package: str) -> Source:
    """The sample agent in the folder of that name."""
    return next(one for one in sources() if one.folder.name == package)


def run(package: str, document: Any) -> Ran:
    """Run the agent as its image does: `python3 -m <package>.agent` with the document on stdin. A module is run by
    the SDK."""
    module = source(package).module
    command = ["-m", "agentnexus_agent.local.wasi", str(module)] if module else ["-m", f"{package}.agent"]
    completed = subprocess.run(
        [sys.executable, *command],
        input=json.dumps(document).encode(),
        capture_output=True,
        timeout=DEADLINE,
        check=False,
        env={
            "PYTHONPATH": f"{AGENTS / 'sdk'}:{AGENTS}",
            "PATH": "/usr/bin:/bin",
            "TMPDIR": tempfile.gettempdir(),
        },
        cwd="/",
    )
    return Ran(completed.returncode, completed.stdout, completed.stderr.decode().splitlines())
