"""Carries attacks out on the real engine, as a worker would run them."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import docker
from uuid_utils.compat import uuid7

from executions import documents
from executions.dispatch.finishing import judge
from executions.runners.base import Control, RunSpec
from executions.runners.docker import DockerRunner, confinement
from tests.attacks.attack import Attack, Seen
from tests.executions import images
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
        self._base = images.ensure_base()
        self._built: dict[str, str] = {}
        self._building = threading.Lock()

    def carry_out(self, attack: Attack) -> Result:
        """Run the attack once and judge it."""
        image = self._image(attack)
        control, sink = Control(), Recorder()
        limits = replace(ATTACK_LIMITS, **attack.limits)
        spec = RunSpec(uuid7(), 1, image, documents.dump(attack.program), limits)
        began = time.monotonic()
        with contextlib.closing(control):
            outcome = self._runner.run(spec, sink, control)
        seconds = time.monotonic() - began
        if seconds > limits.timeout + GRACE:
            return Result(attack, f"hung for {seconds:.0f} s", seconds)
        complaint = attack.complaint(Seen(outcome, judge(outcome, {}), sink, seconds))
        return Result(attack, complaint, seconds)

    def left_behind(self) -> list[str]:
        """Containers of this installation that still exist."""
        mine = {"label": [f"{confinement.LABEL}.instance={confinement.instance()}"]}
        return [row["Id"][:12] for row in self._client.containers(all=True, filters=mine)]

    def _image(self, attack: Attack) -> str:
        lines = attack.image
        if "CMD" not in lines and "ENTRYPOINT" not in lines:
            lines += SCRIPTED
        with self._building:
            if lines not in self._built:
                name = f"agentnexus-attack/{len(self._built)}"
                dockerfile = f"FROM {self._base}\n{lines}"
                self._built[lines] = self._stack.enter_context(images.built(self._client, name, dockerfile))
            return self._built[lines]


@contextmanager
def arena(client: docker.APIClient, runner: DockerRunner) -> Iterator[Arena]:
    """An arena whose images are removed at the end."""
    with ExitStack() as stack:
        yield Arena(client, runner, stack)
