"""gVisor's `runsc` as a runtime of an engine that we start: where it is, and how it is registered."""

import json
import shutil
from pathlib import Path
from typing import Any

MACHINES = Path("/etc/docker/daemon.json")
NAME = "runsc"
# ptrace works on any kernel; without a network, for old releases take every one of a new kernel for the machine's own.
ARGUMENTS = ("--platform=ptrace", "--network=none")


def program() -> str | None:
    """The program, when it is installed."""
    return shutil.which(NAME)


def options(data: Path) -> list[str]:
    """Arguments of `dockerd` that register it beside what the machine's own configuration says; none where it is not
    installed."""
    found = program()
    configured = _configured()
    if found is None or configured is None:
        return []
    configured["runtimes"] = {NAME: {"path": found, "runtimeArgs": list(ARGUMENTS)}} | configured.get("runtimes", {})
    file = data / "docker-daemon.json"
    file.write_text(json.dumps(configured), encoding="utf-8")
    return ["--config-file", str(file.resolve())]


def _configured() -> dict[str, Any] | None:
    """The machine's configuration of the engine; None when it is for the engine to complain about."""
    try:
        found = json.loads(MACHINES.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
