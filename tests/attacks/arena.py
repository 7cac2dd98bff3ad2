"""Carries attacks out on the real engine, as a worker would run them."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO

import docker
from django.test import override_settings
from uuid_utils.compat import uuid7

from deploy.egress.build import build
from executions import documents
from executions.dispatch.finishing import judge
from executions.runners.base import Control, InputFile, RunOutcome, RunSpec
from executions.runners.docker import DockerRunner, confinement, handover
from executions.runners.output_folder import UnsafeFileError
from tests.attacks.attack import Attack, Seen
from tests.executions import images
from tests.executions.runners.internet import internet
from tests.executions.runners.recording import LIMITS, Recorder

ATTACK_LIMITS = replace(
    LIMITS, timeout=8, nano_cpus=500_000_000, input=2 * 1024 * 1024, log_line=8 * 1024, written=8 * 1024 * 1024
)
# What the platform may take beyond the agent's own time, on a machine that is busy with other attacks.
GRACE = 10.0
SCRIPTED = f"CMD {json.dumps(['/bin/sh', '-c', images.BOOTSTRAP])}"


@dataclass(frozen=True, slots=True)
class Result:
    """`complaint` says what broke; None when the promise held."""

    attack: Attack
    complaint: str | None
    seconds: float


class Arena:
    """Images are built once each and removed at the end. Threads may share it."""

    def __init__(self, client: docker.APIClient, runner: DockerRunner, stack: ExitStack) -> None:
        self._client = client
        self._runner = runner
        self._stack = stack
        self.base = images.ensure_base()
        self._built: dict[str, str] = {}
        self._building = threading.Lock()

    def carry_out(self, attack: Attack) -> Result:
        """Run the attack once and judge it."""
        image = self._image(attack)
        control, sink = Control(), Recorder()
        limits = replace(ATTACK_LIMITS, **attack.limits)
        spec = RunSpec(uuid7(), 1, image, documents.dump(attack.program), limits, attack.hosts)
        if attack.files:
            spec = replace(spec, files=(InputFile("1.txt", 5, lambda: BytesIO(b"input")),), gives_files=True)
        began = time.monotonic()
        with contextlib.closing(control):
            outcome = self._runner.run(spec, sink, control)
            taken = _taken(outcome, attack)
        seconds = time.monotonic() - began
        if seconds > limits.timeout + GRACE:
            return Result(attack, f"hung for {seconds:.0f} s", seconds)
        complaint = attack.complaint(Seen(outcome, judge(outcome, {}), sink, seconds, taken))
        return Result(attack, complaint, seconds)

    def left_behind(self) -> list[str]:
        """Containers, networks and folders of this installation that still exist."""
        mine = {"label": [f"{confinement.LABEL}.instance={confinement.instance()}"]}
        rows = [*self._client.containers(all=True, filters=mine), *self._client.networks(filters=mine)]
        return [row["Id"][:12] for row in rows] + [one.handle for one in handover.left_behind()]

    def _image(self, attack: Attack) -> str:
        lines = attack.image
        if not any(line.startswith(("CMD", "ENTRYPOINT")) for line in lines.splitlines()):
            lines += SCRIPTED
        with self._building:
            if lines not in self._built:
                name = f"agentnexus-attack/{len(self._built)}"
                dockerfile = f"FROM {self.base}\n{lines}"
                self._built[lines] = self._stack.enter_context(images.built(self._client, name, dockerfile))
            return self._built[lines]


def _taken(outcome: RunOutcome, attack: Attack) -> dict[str, str]:
    """What becomes of each file that the attack names."""
    taken = {}
    if outcome.folder is not None:
        with contextlib.closing(outcome.folder) as folder:
            for name in attack.files:
                try:
                    with folder.open(name, 32 * 1024 * 1024) as file:
                        taken[name] = f"taken, {len(file.read())} bytes"
                except UnsafeFileError as exc:
                    taken[name] = str(exc)
    return taken


@contextmanager
def arena(client: docker.APIClient, runner: DockerRunner) -> Iterator[Arena]:
    """An arena, with an internet around it, whose images are removed at the end."""
    with ExitStack() as stack:
        ring = Arena(client, runner, stack)
        build()
        world = stack.enter_context(internet(client, ring.base))
        stack.enter_context(override_settings(EGRESS_NETWORK=world.network, EGRESS_NAMESERVERS=[world.address]))
        yield ring
        # Squid itself asks for the name of the agent's private address.
        asked = {name for name in world.questions() if not name.endswith(".in-addr.arpa")} - {"api.test"}
        if asked:
            raise AssertionError(f"names left the sandbox: {asked}")
