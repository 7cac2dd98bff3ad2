"""The whole platform as `make up` runs it, in a process of its own: one for all the workers of a test run.

It starts in the background while the workers do other tests; `Shared.site()` waits until it is ready. It ends when the
last worker has let go of it, or with the process that started it.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.local.engines import ROOT
from deploy.local.platform import Site, platform
from deploy.local.supervisor import Supervisor, die_with_parent

OWN = ("DATABASE_URL", "REDIS_URL", "CHAIN_RPC_URL", "DJANGO_SETTINGS_MODULE")
FOLDER = "site"
READY = "site.json"
READY_SECONDS = 170
STOP_SECONDS = 60


@dataclass(slots=True)
class Shared:
    """A worker's hold on the platform; the worker that started it also stops it."""

    folder: Path
    hold: IO[str]
    process: subprocess.Popen[bytes] | None

    def site(self) -> Site:
        """The platform, once it is ready; AssertionError with the end of its log when it is not."""
        ready, log = self.folder / READY, self.folder / "serve.log"
        deadline = time.monotonic() + READY_SECONDS
        while not ready.exists():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                text = log.read_text(errors="replace") if log.exists() else "it was not started"
                raise AssertionError(f"The platform did not start (log: {log}):\n{text[-2000:]}")
            time.sleep(0.05)
        told = json.loads(ready.read_text())
        env = told["env"]
        return Site(told["url"], env, self.folder, Supervisor(self.folder / "logs", env, echo=False), True)

    def release(self) -> None:
        """Let go of the platform; who started it waits for the others and stops it."""
        fcntl.flock(self.hold, fcntl.LOCK_UN)
        if self.process is not None:
            fcntl.flock(self.hold, fcntl.LOCK_EX)
            self.process.terminate()
            self.process.wait(STOP_SECONDS)
        self.hold.close()


def hold(*, start: bool) -> Shared:
    """Take part in the platform of this run; with `start`, start it."""
    folder = Path(tempfile.gettempdir()) / FOLDER
    folder.mkdir(mode=0o755, exist_ok=True)
    lock = (folder / "workers").open("w")
    fcntl.flock(lock, fcntl.LOCK_SH)
    process = None
    if start:
        environ = {name: value for name, value in os.environ.items() if name not in OWN}
        environ["FILES_ROOT"] = str(folder / "files")
        with (folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.serve", str(folder)],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
    return Shared(folder, lock, process)


def main(folder: Path) -> None:
    """Run the platform in `folder` until told to stop."""
    signal.signal(signal.SIGTERM, _stop)
    with platform(folder, os.environ, _say) as site:
        written = folder / f"{READY}.new"
        written.write_text(json.dumps({"url": site.url, "env": site.env}))
        written.rename(folder / READY)
        signal.pause()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _stop(*_: object) -> None:
    """Raise in the main thread once; a second signal must not interrupt the stopping."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


if __name__ == "__main__":
    main(Path(sys.argv[1]))
