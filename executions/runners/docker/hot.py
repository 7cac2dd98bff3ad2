"""Started containers of the agents that are run most, waiting for their input: what an agent does before it reads - an
interpreter's start, imports, a model - is over when somebody asks for it.

Each is used once. It is confined like any other, and frozen when it has had time to get ready, so that a stranger's
code does not compute while nobody has asked for it. A label names the worker that keeps it; when that one is gone, the
reaper of any other takes what is left.
"""

import os
import socket
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import docker
import structlog
from uuid_utils.compat import uuid7

from executions.errors import RunnerUnavailableError
from executions.limits import Limits
from executions.runners.base import Found, RunSpec
from executions.runners.docker import confinement
from executions.runners.docker.attachment import Attachment
from executions.runners.docker.confinement import LABEL, Provisions
from executions.runners.docker.engine import Engine, EngineCallError, engine_errors
from executions.runners.docker.runtimes import Runtime

log = structlog.get_logger(__name__)

# Runs this long ago (seconds) say nothing of the next ones.
WINDOW = 600.0
# So many runs in the window make an agent worth a container, and each so many more another one.
RUNS_EACH = 3
# An agent gets this long (seconds) to become ready, then it is frozen.
WARM_SECONDS = 5.0
# Nobody waits longer than this (seconds); a clock, a random seed or a library in there would grow old.
OLDEST = 1800.0
_WAITING, _TAKEN = "agentnexus-hot-", "agentnexus-"


@dataclass(frozen=True, slots=True)
class Key:
    """What a waiting container can be used for: this image under these limits."""

    image: str  # id
    limits: Limits
    runtime: Runtime

    @classmethod
    def of(cls, spec: RunSpec, image: str, runtime: Runtime) -> "Key | None":
        """None when such a run gets something of its own into its container, or has a network."""
        if spec.hosts or spec.secrets or spec.gpus or spec.files or spec.gives_files:
            return None
        return cls(image, replace(spec.limits, timeout=0), runtime)


@dataclass(slots=True)
class Waiting:
    """A started container, and the connection its input will go through."""

    container: str
    attachment: Attachment
    since: float
    frozen: bool = False


class HotContainers:
    """Those of one worker on one engine; `budget` is the memory limits of all of them together, in bytes. They have no
    more than runs leave, and make room when runs come."""

    def __init__(self, engine: Engine, budget: int) -> None:
        self._engine = engine
        self._budget = budget
        self._room = budget  # what runs leave, as last heard
        self._lock = threading.Lock()
        self._tending = threading.Lock()
        self._due = threading.Event()
        self._waiting: dict[Key, list[Waiting]] = {}
        self._runs: deque[tuple[float, Key]] = deque()
        self._specs: dict[Key, tuple[RunSpec, dict[str, Any]]] = {}
        self._unfit: set[str] = set()  # images that end before they have their input
        self._era = 0  # counts dismissals: what was begun before one must not be kept after it
        self._closed = False

    def take(self, spec: RunSpec, image: dict[str, Any], runtime: Runtime) -> Waiting | None:
        """A container that is ready for this run, under the run's name from now on; None when there is none."""
        if spec.room is not None:
            self._room = spec.room
        key = Key.of(spec, image["Id"], runtime)
        if key is None or not self._budget:
            return None
        with self._lock:
            self._runs.append((time.monotonic(), key))
            # Nothing of this run but what the next one has too.
            self._specs[key] = replace(spec, input=b"", registry=None, room=None), image
            waiting = self._waiting.get(key)
            taken = waiting.pop(0) if waiting else None
        if taken is None:
            return None
        try:
            self._hand_over(taken, f"{_TAKEN}{spec.execution_id}-{spec.attempt}")
        except (EngineCallError, RunnerUnavailableError) as exc:
            log.info("hot_container_lost", container=taken.container[:12], error=str(exc))
            self._discard(taken)
            return None
        return taken

    def _hand_over(self, taken: Waiting, name: str) -> None:
        client = self._engine.client
        with engine_errors():
            if taken.frozen:
                client.unpause(taken.container)
            # The name says whose it is: labels cannot be changed, and the reaper of any worker must know.
            client.rename(taken.container, name)
            if not client.inspect_container(taken.container)["State"]["Running"]:
                raise EngineCallError("it has ended", None)

    def tend(self, room: int | None = None) -> None:
        """Start what recent runs call for, freeze what is ready, remove what nobody wants any more or what runs need
        the memory of. `room` is what they leave (bytes)."""
        if not self._budget:
            return
        if room is not None:
            self._room = room
        # Whoever finds somebody at it leaves word: a run since that one looked calls for another look.
        self._due.set()
        while self._due.is_set() and self._tending.acquire(blocking=False):
            try:
                self._due.clear()
                self._tend()
            finally:
                self._tending.release()

    def _tend(self) -> None:
        try:
            wanted = self._wanted()
            for key, waiting in self._stale(wanted):
                log.debug("hot_container_dismissed", image=key.image)
                self._discard(waiting)
            for key, count in wanted.items():
                for _ in range(count - len(self._waiting.get(key, []))):
                    self._add(key)
            self._freeze()
        except (EngineCallError, RunnerUnavailableError) as exc:
            log.info("hot_containers_not_tended", error=str(exc))

    def close(self) -> None:
        """Remove all of them; none is started any more."""
        self._closed = True
        self.dismiss()

    def dismiss(self) -> None:
        """Remove all of them, for now."""
        with self._lock:
            self._era += 1
            left = [waiting for several in self._waiting.values() for waiting in several]
            self._waiting.clear()
        for waiting in left:
            self._discard(waiting)

    def __len__(self) -> int:
        with self._lock:
            return sum(len(several) for several in self._waiting.values())

    def _wanted(self) -> dict[Key, int]:
        """How many of each, the most run first, as far as the budget goes."""
        with self._lock:
            while self._runs and self._runs[0][0] < time.monotonic() - WINDOW:
                self._runs.popleft()
            runs = Counter(key for _, key in self._runs if key.image not in self._unfit)
        wanted: dict[Key, int] = {}
        left = min(self._budget, self._room)
        for key, count in runs.most_common():
            number = min(count // RUNS_EACH, left // key.limits.memory)
            if number:
                wanted[key] = number
                left -= number * key.limits.memory
        return wanted

    def _stale(self, wanted: dict[Key, int]) -> list[tuple[Key, Waiting]]:
        """Take out those beyond what is wanted, and the old ones."""
        oldest = time.monotonic() - OLDEST
        out: list[tuple[Key, Waiting]] = []
        with self._lock:
            for key, several in list(self._waiting.items()):
                kept = [one for one in several if one.since > oldest][: wanted.get(key, 0)]
                out += [(key, one) for one in several if one not in kept]
                self._waiting[key] = kept
                if not kept:
                    del self._waiting[key]
            self._specs = {key: value for key, value in self._specs.items() if key in wanted or key in self._waiting}
        return out

    def _add(self, key: Key) -> None:
        with self._lock:
            (spec, image), era = self._specs[key], self._era
        self._keep(key, self._start(spec, image, key.runtime), era)

    def _keep(self, key: Key, waiting: Waiting, era: int) -> None:
        with self._lock:
            if era == self._era and not self._closed:
                self._waiting.setdefault(key, []).append(waiting)
                return
        self._discard(waiting)

    def _start(self, spec: RunSpec, image: dict[str, Any], runtime: Runtime) -> Waiting:
        client = self._engine.client
        volumes = confinement.clean_volume_paths((image.get("Config") or {}).get("Volumes"))
        config = confinement.container_config(client, image["Id"], spec, volumes, time.time(), Provisions(runtime))
        # Not the labels of the run that showed the way: this belongs to none yet.
        config["Labels"] = labels()
        with engine_errors():
            container = str(client.create_container_from_config(config, name=new_name())["Id"])
        attachment = None
        try:
            attachment = Attachment(client, container, None)
            with engine_errors():
                client.start(container)
        except (EngineCallError, RunnerUnavailableError):
            if attachment is not None:
                attachment.close()
            _remove(client, container)
            raise
        return Waiting(container, attachment, time.monotonic())

    def _freeze(self) -> None:
        """Freeze the ready ones; those that have ended were no use, and their images are not tried again."""
        ready = time.monotonic() - WARM_SECONDS
        with self._lock:
            due = [(key, one) for key, several in self._waiting.items() for one in several if not one.frozen]
        for key, one in due:
            if one.since > ready:
                continue
            with self._lock:
                if one not in self._waiting.get(key, []):
                    continue  # taken meanwhile
                self._waiting[key].remove(one)
                era = self._era
            try:
                with engine_errors():
                    self._engine.client.pause(one.container)
            except EngineCallError:
                self._unfit.add(key.image)
                self._discard(one)
                continue
            except RunnerUnavailableError:
                self._discard(one)
                raise
            one.frozen = True
            self._keep(key, one, era)

    def _discard(self, waiting: Waiting) -> None:
        waiting.attachment.close()
        try:
            _remove(self._engine.client, waiting.container)
        except (EngineCallError, RunnerUnavailableError) as exc:
            log.info("hot_container_left", container=waiting.container[:12], error=str(exc))


def labels() -> dict[str, str]:
    """Of a container that belongs to this worker and to no run: any reaper takes it when the worker is gone."""
    return {f"{LABEL}.instance": confinement.instance(), f"{LABEL}.hot": _owner()}


def new_name() -> str:
    """A name for such a container."""
    return f"{_WAITING}{uuid7()}"


def found(client: docker.APIClient) -> list[Found]:
    """Hot containers as the reaper should see them: those in use belong to the execution their name says, those whose
    worker is gone have ended and belong to nobody; the ones that wait are not mentioned. Raises as `engine_errors`."""
    with engine_errors():
        rows = client.containers(
            all=True, filters={"label": [f"{LABEL}.instance={confinement.instance()}", f"{LABEL}.hot"]}
        )
    return [one for one in map(_found, rows) if one is not None]


def _found(row: dict[str, Any]) -> Found | None:
    name = str(row["Names"][0]).removeprefix("/")
    if name.startswith(_WAITING):
        young = row["Created"] > time.time() - OLDEST - WINDOW
        waits = row["State"] in {"running", "paused", "created"} and young and not _gone(row["Labels"][f"{LABEL}.hot"])
        return None if waits else Found(row["Id"], UUID(int=0), 0, 0)
    execution, _, attempt = name.removeprefix(_TAKEN).rpartition("-")
    try:
        return Found(row["Id"], UUID(execution), int(attempt), 0)
    except ValueError:  # not named by us: nobody's
        return Found(row["Id"], UUID(int=0), 0, 0)


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _gone(owner: str) -> bool:
    """Whether the process that keeps it was on this machine and has ended. Of other machines age has to tell."""
    host, _, process = owner.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it lives, as another user
    return False


def _remove(client: docker.APIClient, container: str) -> None:
    try:
        with engine_errors():
            client.remove_container(container, force=True, v=True)
    except EngineCallError as exc:
        if exc.status not in {404, 409}:
            raise
