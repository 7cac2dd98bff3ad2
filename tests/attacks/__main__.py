"""`make attack`: every attack three times, what the host lost meanwhile, and how a neighbour fared.

Exit code 1 when a promise was broken.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import django
import docker

from deploy.local import docker_engine
from deploy.local.engines import ROOT, EngineError

ROUNDS = 3
# What other programs of a busy machine take and give in some minutes (bytes).
NOISE = 256 * 1024 * 1024
NEIGHBOUR_SLOWED = 1.10
# Removing what has ended goes on after the run's own end.
LEFT_SECONDS = 5


def main() -> int:
    """The table, the measurements and the count."""
    with ExitStack() as stack:
        try:
            os.environ["DOCKER_HOST"], child = docker_engine.ensure(ROOT / ".data")
        except EngineError as exc:
            print(exc, file=sys.stderr)
            return 1
        if child is not None:
            stack.callback(child.stop)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
        os.environ["EXECUTION_INSTANCE"] = f"attack-{os.getpid()}"
        django.setup()
        return _perform(os.environ["DOCKER_HOST"])


def _perform(host: str) -> int:
    # These read the settings when they are imported.
    from executions.runners.docker import DockerRunner
    from tests.attacks.arena import arena
    from tests.attacks.catalogue import ALL
    from tests.attacks.neighbour import measure

    client = docker.APIClient(host, version="auto", timeout=60)
    broken = 0
    with arena(client, DockerRunner(host)) as ring:
        before = _host(client)
        print(f"{'attack':<50} {'held':<5} {'ms':>6}  promise")
        for attack in ALL:
            results = [ring.carry_out(attack) for _ in range(ROUNDS)]
            complaints = [result.complaint for result in results if result.complaint]
            broken += bool(complaints)
            milliseconds = statistics.median(result.seconds for result in results) * 1000
            held = "NO" if complaints else "yes"
            print(f"{attack.name:<50} {held:<5} {milliseconds:>6.0f}  {attack.promise}", flush=True)
            for broke in complaints:
                print(f"    {broke}")
        for what, complaint in [*_after(client, before, ring.left_behind), *measure(ring, NEIGHBOUR_SLOWED)]:
            broken += complaint is not None
            print(f"{what:<50} {'NO' if complaint else 'yes':<5} {complaint or ''}", flush=True)
    print(f"(Load of the machine at the end: {os.getloadavg()[0]:.1f}; a busy one slows neighbours by itself.)")
    print(f"{len(ALL)} attacks, {ROUNDS} times each: {broken} promises broken.")
    return 1 if broken else 0


def _host(client: docker.APIClient) -> tuple[int, int]:
    """Free disk below the engine's data folder and available memory, in bytes."""
    folder = Path(client.info()["DockerRootDir"])
    disk = os.statvfs(folder if folder.exists() else "/")
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return disk.f_bavail * disk.f_frsize, int(fields["MemAvailable"].split()[0]) * 1024


def _after(
    client: docker.APIClient, before: tuple[int, int], left: Callable[[], list[str]]
) -> Iterator[tuple[str, str | None]]:
    disk, memory = (then - now for then, now in zip(before, _host(client), strict=True))
    for what, lost in (("disk", disk), ("memory", memory)):
        text = f"the host's {what}: {lost / 1_048_576:+,.0f} MiB used"
        yield text, f"more than {NOISE // 1_048_576} MiB" if lost > NOISE else None
    deadline = time.monotonic() + LEFT_SECONDS
    while (found := left()) and time.monotonic() < deadline:
        time.sleep(0.1)
    yield "nothing left behind", f"left: {found}" if found else None


if __name__ == "__main__":
    sys.exit(main())
