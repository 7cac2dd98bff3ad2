"""`make up` and `make demo`: the whole platform on this machine, from nothing, stopped without a trace."""

import argparse
import os
import signal
import sys
import time
from types import FrameType

import requests

from deploy.local.demo import perform
from deploy.local.engines import ROOT, EngineError
from deploy.local.platform import platform
from deploy.local.supervisor import ProcessError

DATA = ROOT / ".data"
STARTED = time.monotonic()
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818  not an error: the person at the terminal asked for it
    """Ctrl-C or a TERM signal."""


def say(text: str) -> None:
    """A line of progress with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def main() -> int:
    """Exit code 0 when everything asked for was done; 1 with a sentence when a step failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="perform the main job once and stop")
    demo = parser.parse_args().demo
    for number in SIGNALS:
        signal.signal(number, _stop)
    try:
        port = int(os.environ.get("PORT", "8000"))
        with platform(DATA, os.environ, say, port=port, rpc_port=8545, echo=not demo, need_docker=False) as site:
            if demo:
                perform(site)
            else:
                say(f"AgentNexus is up at {site.url} - Ctrl-C stops it; logs are in .data/logs, mail is in .data/mail.")
                say(f"The administration is at {site.url}/admin/; `make staff` prints who enters it, and the code.")
                while True:
                    site.supervisor.check()
                    time.sleep(0.5)
            say("Stopping ...")
    except Stopped:
        say("Stopped.")
        return 0
    except (EngineError, ProcessError, requests.RequestException) as exc:
        print(f"\nFailed: {exc}", file=sys.stderr, flush=True)
        return 1
    say("Everything is stopped.")
    return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Raise in the main thread once; further signals must not interrupt the stopping."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    raise SystemExit(main())
