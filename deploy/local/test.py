"""`make pytest`: makes sure of a Docker engine and the agents' images, then runs pytest with the given arguments."""

import os
import subprocess
import sys
from contextlib import ExitStack

from deploy.local import docker_engine
from deploy.local.engines import ROOT, EngineError
from deploy.local.supervisor import ProcessError, run

DATA = ROOT / ".data"
# One more than there are processors, for much of a test is waiting: for a container, a block, a browser.
WORKERS = min((os.cpu_count() or 1) + 1, 4)


def main(arguments: list[str]) -> int:
    """pytest's exit code, or 1 with a sentence when what it needs cannot be had."""
    DATA.mkdir(exist_ok=True)
    with ExitStack() as stack:
        try:
            host, child = docker_engine.ensure(DATA)
            if child is not None:
                stack.callback(child.stop)
            os.environ["DOCKER_HOST"] = host
            for what in ("deploy.agents.build", "deploy.egress.build"):
                run(f"{sys.executable} -m {what}", dict(os.environ), DATA / "build.log")
        except (EngineError, ProcessError) as exc:
            print(f"The tests cannot run: {exc}", file=sys.stderr)
            return 1
        command = [sys.executable, "-m", "pytest", "-n", str(WORKERS), "--dist", "loadgroup", *arguments]
        return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
