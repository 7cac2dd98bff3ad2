"""`make attack`: every attack three times, what the host lost meanwhile, and how a neighbour fared.

With the name of a runtime, as in `make attack RUNTIME=runsc`, all of it under that one; where the engine does not have
gVisor, on an engine of its own. Exit code 1 when a promise was broken.
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

from deploy.local import docker_engine, gvisor
from deploy.local.engines import ROOT, EngineError

ROUNDS = 3
# What other programs of a busy machine take and give in some minutes (bytes).
NOISE = 256 * 1024 * 1024
NEIGHBOUR_SLOWED = 1.10
# Removing what has ended goes on after the run's own end.
LEFT_SECONDS = 5


def main(runtime: str) -> int:
    """The table, the measurements and the count."""
    with ExitStack() as stack:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
        os.environ["EXECUTION_INSTANCE"] = f"attack-{os.getpid()}"
        os.environ["EXECUTION_RUNTIME"] = runtime
        django.setup()
        try:
            os.environ["DOCKER_HOST"] = _engine(runtime, stack)
        except EngineError as exc:
            print(exc, file=sys.stderr)
            return 1
        return _perform(os.environ["DOCKER_HOST"], runtime)


def _engine(runtime: str, stack: ExitStack) -> str:
    """Where an engine that has the runtime answers. Raises EngineError."""
    host, child = docker_engine.ensure(ROOT / ".data")
    if child is not None:
        stack.callback(child.stop)
    if not runtime or runtime in docker_engine.runtimes(host):
        return host
    if runtime != gvisor.NAME or gvisor.program() is None:
        raise EngineError(f"The Docker engine at {host} does not have the runtime {runtime}.")
    from tests.executions.own_engine import own_docker  # needs Django

    return stack.enter_context(own_docker()).url


def _perform(host: str, name: str) -> int:
    # These read the settings when they are imported.
    from executions.runners.docker import DockerRunner, runtimes
    from tests.attacks.arena import arena
    from tests.attacks.catalogue import ALL
    from tests.attacks.neighbour import measure
    from tests.attacks.under_gvisor import under_gvisor

    client = docker.APIClient(host, version="auto", timeout=60)
    runtime = runtimes.found(client.info())[name]
    attacks = [under_gvisor(attack, runtime) if runtime.gvisor else attack for attack in ALL]
    broken = 0
    with arena(client, DockerRunner(host)) as ring:
        before = _host(client)
        print(f"{'attack':<50} {'held':<5} {'ms':>6}  promise")
        for attack in attacks:
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
    where = f" under {name}" if name else ""
    print(f"{len(attacks)} attacks{where}, {ROUNDS} times each: {broken} promises broken.")
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
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
