"""Runs one image in one container, once, and leaves nothing behind."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import docker
import requests
import structlog

from executions.errors import RunnerUnavailableError
from executions.runners.base import Connection, Control, Ending, Found, RunOutcome, RunSpec, Seen, Sink, Stop
from executions.runners.docker import confinement, endings, handover, hot, images, reattach
from executions.runners.docker.attachment import Attachment
from executions.runners.docker.confinement import LABEL, Provisions, Way
from executions.runners.docker.egress import Egress, EgressUnavailableError, remove_network
from executions.runners.docker.engine import Engine, EngineCallError, engine_errors
from executions.runners.docker.handover import Handover, HandoverError
from executions.runners.docker.pulling import ImageUnusableError, PullStoppedError
from executions.runners.docker.runtimes import Runtimes, RuntimeUnfitError
from executions.runners.docker.workdir import refuse_links
from executions.runners.redaction import Redactor
from executions.runners.transcript import Transcript

log = structlog.get_logger(__name__)

_TICK = 1.0
# Handles of networks begin so; those of containers are hexadecimal.
_NETWORK = "network:"


@dataclass(frozen=True, slots=True)
class _Written:
    """All that an agent wrote."""

    transcript: Transcript
    output: bytes | None
    deadline: float


class DockerRunner:
    """A Runner on one Docker engine. Threads may share it."""

    def __init__(self, base_url: str, hot_memory: int = 0) -> None:
        """`hot_memory` is how much memory started containers that wait for input may have together (bytes)."""
        self._engine = Engine(base_url)
        self._hot = hot.HotContainers(self._engine, hot_memory)
        self._images = images.Images(self._engine)
        self._runtimes = Runtimes(self._engine)
        self._checked_images: set[str] = set()
        # Removing a container that has ended takes the engine a while; nobody needs to wait for it.
        self._janitor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="janitor")

    def probe(self) -> None:
        self._engine.probe()

    def describe(self) -> str:
        self._engine.probe()
        with engine_errors():
            version = self._engine.client.version()
        return f"Docker {version['Version']}"

    def run(self, spec: RunSpec, sink: Sink, control: Control) -> RunOutcome:
        try:
            runtime = self._runtimes.of(spec)
            image = self._images.resolve(spec.image, control, sink.event, spec.registry)
            with ExitStack() as stack:
                way = self._open_way(spec, sink, stack) if spec.hosts else None
                handed = stack.enter_context(Handover(spec, self._engine.base_url))
                given = Provisions(runtime, way, handed.secrets, handed.inputs, handed.outputs)
                outcome = runtime.explain(self._run(spec, image, sink, control, given))
                if outcome.ending == Ending.LOST:
                    handed.leave()  # as its container: another worker may go on with it
                return handover.with_folder(outcome, spec, spec.attempt)
        except (RuntimeUnfitError, EgressUnavailableError, HandoverError) as exc:
            return RunOutcome(Ending.INFRASTRUCTURE, str(exc))
        except ImageUnusableError as exc:
            return RunOutcome(Ending.IMAGE, str(exc))
        except PullStoppedError:
            return endings.STOPPED[control.reason or Stop.LOST]
        except EngineCallError as exc:
            log.warning("engine_refused", execution_id=str(spec.execution_id), status=exc.status, error=exc.message)
            return RunOutcome(Ending.INFRASTRUCTURE, endings.refusal(exc))
        except RunnerUnavailableError as exc:
            return RunOutcome(Ending.UNAVAILABLE, exc.message)

    def containers(self) -> list[Found]:
        mine = {"label": [f"{LABEL}.instance={confinement.instance()}", f"{LABEL}.execution"]}
        with engine_errors():
            rows = self._engine.client.containers(all=True, filters=mine)
            networks = self._engine.client.networks(filters=mine)
        # Containers first: they leave their networks when they are removed.
        found = [_found(row, row["Id"]) for row in rows]
        found += hot.found(self._engine.client)
        found += [_found(row, f"{_NETWORK}{row['Id'][:32]}") for row in networks]
        # A folder goes after its container, which knows best whether somebody needs it.
        present = {(one.execution_id, one.attempt) for one in found}
        return found + [one for one in handover.left_behind() if (one.execution_id, one.attempt) not in present]

    def remove(self, handle: str) -> None:
        try:
            with engine_errors():
                if handle.startswith(handover.HANDLE):
                    handover.remove(handle)
                elif handle.startswith(_NETWORK):
                    remove_network(self._engine.client, handle.removeprefix(_NETWORK))
                else:
                    self._engine.client.remove_container(handle, force=True, v=True)
        except EngineCallError as exc:
            # 409: somebody else is removing it at this moment.
            if exc.status not in {404, 409}:
                raise

    def _open_way(self, spec: RunSpec, sink: Sink, stack: ExitStack) -> Way:
        sink.event(f"It may connect to {', '.join(spec.hosts)}")
        redact = Redactor(spec.secrets)

        def report(connection: Connection) -> None:
            # A secret can be told in the name of a host that is asked for, too.
            sink.connection(replace(connection, host=redact.text(connection.host)))

        return stack.enter_context(Egress(self._engine, spec, report, self._janitor.submit)).way

    def _run(self, spec: RunSpec, image: dict[str, Any], sink: Sink, control: Control, given: Provisions) -> RunOutcome:
        client = self._engine.client
        waiting = self._hot.take(spec, image, given.runtime)
        self._janitor.submit(self._hot.tend)
        if waiting is not None:
            return self._run_hot(client, waiting, spec, sink, control)
        container = self._create(client, spec, image, control, sink, given)
        outcome: RunOutcome | None = None
        try:
            self._check_workdir(client, container, image)
            if control.reason is not None:
                return endings.STOPPED[control.reason]
            outcome = self._started(client, container, spec, sink, control)
            return outcome
        except RunnerUnavailableError as exc:
            # It may have begun, so this counts as a failed attempt and not as waiting for an engine.
            return RunOutcome(Ending.INFRASTRUCTURE, exc.message)
        finally:
            self._let_go(spec, container, outcome)

    def _run_hot(
        self, client: docker.APIClient, waiting: hot.Waiting, spec: RunSpec, sink: Sink, control: Control
    ) -> RunOutcome:
        outcome: RunOutcome | None = None
        try:
            with waiting.attachment as attachment:
                attachment.give(spec.input)
                ended = self._follow(attachment, waiting.container, spec, sink, control)
            outcome = self._finished(client, waiting.container, spec, control, ended)
            return outcome
        except RunnerUnavailableError as exc:
            return RunOutcome(Ending.INFRASTRUCTURE, exc.message)
        finally:
            self._let_go(spec, waiting.container, outcome)

    def tend(self, room: int | None = None) -> None:
        """Look after the containers that wait for input; to be called every few seconds. `room` is the memory that runs
        leave (bytes), where that is known."""
        self._hot.tend(room)

    def dismiss(self) -> None:
        """Remove the containers that wait for input, for now."""
        self._hot.dismiss()

    def close(self) -> None:
        """Remove the containers that wait for input, and start no more."""
        self._hot.close()

    def _create(
        self,
        client: docker.APIClient,
        spec: RunSpec,
        image: dict[str, Any],
        control: Control,
        sink: Sink,
        given: Provisions,
    ) -> str:
        try:
            return _created(client, spec, image, given)
        except EngineCallError as exc:
            if not exc.missing:
                raise
        # Somebody removed the image since we looked.
        self._images.forget(spec.image)
        found = self._images.resolve(spec.image, control, sink.event, spec.registry)
        return _created(client, spec, found, given)

    def _started(
        self, client: docker.APIClient, container: str, spec: RunSpec, sink: Sink, control: Control
    ) -> RunOutcome:
        with Attachment(client, container, spec.input) as attachment:
            try:
                with engine_errors():
                    client.start(container)
            except EngineCallError as exc:
                if (fault := endings.image_fault(exc)) is not None:
                    raise ImageUnusableError(fault) from exc
                raise
            ended = self._follow(attachment, container, spec, sink, control)
        return self._finished(client, container, spec, control, ended)

    def _follow(
        self, attachment: Attachment, container: str, spec: RunSpec, sink: Sink, control: Control
    ) -> "RunOutcome | _Written":
        """Carry input and output until the agent closes its streams, or must end before that."""
        transcript = Transcript(spec.limits, sink.line, sink.event, redact=Redactor(spec.secrets))
        deadline = time.monotonic() + spec.limits.timeout
        attachment.push()
        fed = attachment.fed
        if fed:
            sink.fed()
        if not sink.started(container):
            return endings.STOPPED[Stop.LOST]
        while not attachment.ended:
            if not fed and attachment.fed:
                fed = True
                sink.fed()
            early = _early(transcript, control, deadline, spec)
            if early is not None:
                transcript.close()
                return early
            for source, data in attachment.step(control, min(deadline - time.monotonic(), _TICK)):
                transcript.feed(source, data)
        return _Written(transcript, transcript.close(), deadline)

    def _finished(
        self, client: docker.APIClient, container: str, spec: RunSpec, control: Control, ended: "RunOutcome | _Written"
    ) -> RunOutcome:
        """The outcome, once the attachment is closed."""
        if isinstance(ended, RunOutcome):
            return ended
        if ended.transcript.overflow is not None:
            return RunOutcome(Ending.OUTPUT_LIMIT, ended.transcript.overflow)
        return self._ended(client, container, spec, control, ended.deadline, ended.output)

    def _ended(
        self,
        client: docker.APIClient,
        container: str,
        spec: RunSpec,
        control: Control,
        deadline: float,
        output: bytes | None,
    ) -> RunOutcome:
        """Its streams are closed; usually it has ended, but it may have closed them and live on."""
        while (code := _exit_code(client, container, min(_TICK, max(deadline - time.monotonic(), 0.01)))) is None:
            if control.reason is not None:
                return endings.STOPPED[control.reason]
            if time.monotonic() > deadline:
                return endings.timed_out(spec)
        # The engine flags it for any process of the container. One that got over it gave a result and ended well.
        if (code != 0 or output is None) and _was_out_of_memory(client, container):
            return RunOutcome(Ending.OUT_OF_MEMORY, endings.out_of_memory(spec), exit_code=code)
        return RunOutcome(Ending.EXITED, exit_code=code, output=output)

    def _check_workdir(self, client: docker.APIClient, container: str, image: dict[str, Any]) -> None:
        """An image never changes, so each is looked at once."""
        if image["Id"] not in self._checked_images:
            refuse_links(client, container, (image.get("Config") or {}).get("WorkingDir") or "/")
            self._checked_images.add(image["Id"])

    def resume(
        self, spec: RunSpec, handle: str, seen: Seen, seconds: float, sink: Sink, control: Control
    ) -> RunOutcome:
        outcome: RunOutcome | None = None
        first = spec.attempt
        try:
            first = handover.attempt_of(self._engine.client, handle)
            runtime = self._runtimes.of(spec)
            outcome = self._resumed(self._engine.client, handle, spec, seen, time.monotonic() + seconds, sink, control)
            outcome = runtime.explain(outcome)
            return handover.with_folder(outcome, spec, first)
        except reattach.LostTrackError as exc:
            log.warning("reattaching_failed", execution_id=str(spec.execution_id), error=str(exc))
            return RunOutcome(Ending.INFRASTRUCTURE, "The worker that ran it disappeared, with a part of its log.")
        except RuntimeUnfitError as exc:
            return RunOutcome(Ending.INFRASTRUCTURE, str(exc))
        except (EngineCallError, RunnerUnavailableError) as exc:
            return RunOutcome(Ending.INFRASTRUCTURE, exc.message)
        finally:
            self._let_go(spec, handle, outcome)
            if outcome is None or outcome.ending != Ending.LOST:
                handover.forget(spec.execution_id, first)

    def _resumed(
        self,
        client: docker.APIClient,
        container: str,
        spec: RunSpec,
        seen: Seen,
        deadline: float,
        sink: Sink,
        control: Control,
    ) -> RunOutcome:
        replay, clock = reattach.Replay(sink, seen), reattach.Clock()
        transcript = Transcript(spec.limits, replay.line, replay.event, clock)
        early: RunOutcome | None = None

        def stopped() -> bool:
            nonlocal early
            early = _early(transcript, control, deadline, spec)
            return early is not None

        reattach.follow(client, container, transcript, stopped, clock)
        output = transcript.close()
        if early is not None:
            return early
        replay.check_complete()
        if transcript.overflow is not None:
            return RunOutcome(Ending.OUTPUT_LIMIT, transcript.overflow)
        return self._ended(client, container, spec, control, deadline, output)

    def _let_go(self, spec: RunSpec, container: str, outcome: RunOutcome | None) -> None:
        """Remove the container, unless it may be somebody else's by now: the reaper knows."""
        if outcome is not None and outcome.ending == Ending.LOST:
            return
        if outcome is not None and outcome.exit_code is not None:
            self._janitor.submit(self._clean_up, spec, container)
        else:
            self._clean_up(spec, container)

    def _clean_up(self, spec: RunSpec, container: str) -> None:
        try:
            self.remove(container)
        except (EngineCallError, RunnerUnavailableError) as exc:
            # The reaper takes it once the engine answers again.
            log.warning("container_left", execution_id=str(spec.execution_id), container=container[:12], error=str(exc))


def _created(client: docker.APIClient, spec: RunSpec, image: dict[str, Any], given: Provisions) -> str:
    volumes = confinement.clean_volume_paths((image.get("Config") or {}).get("Volumes"))
    config = confinement.container_config(client, image["Id"], spec, volumes, time.time(), given)
    name = f"agentnexus-{spec.execution_id}-{spec.attempt}"
    with engine_errors():
        return str(client.create_container_from_config(config, name=name)["Id"])


def _exit_code(client: docker.APIClient, container: str, seconds: float) -> int | None:
    """Wait at most `seconds` for the container to end."""
    try:
        with engine_errors():
            return int(client.wait(container, timeout=seconds)["StatusCode"])
    except RunnerUnavailableError as exc:
        if _is_timeout(exc.__cause__):
            return None
        raise


def _was_out_of_memory(client: docker.APIClient, container: str) -> bool:
    with engine_errors():
        return bool(client.inspect_container(container)["State"].get("OOMKilled"))


def _early(transcript: Transcript, control: Control, deadline: float, spec: RunSpec) -> RunOutcome | None:
    """Whether the run must end now although the agent goes on."""
    if control.reason is not None:
        return endings.STOPPED[control.reason]
    if transcript.overflow is not None:
        return RunOutcome(Ending.OUTPUT_LIMIT, transcript.overflow)
    return endings.timed_out(spec) if time.monotonic() >= deadline else None


def _found(row: dict[str, Any], handle: str) -> Found:
    labels = row["Labels"]
    try:
        return Found(
            handle=handle,
            execution_id=UUID(labels[f"{LABEL}.execution"]),
            attempt=int(labels.get(f"{LABEL}.attempt", "0")),
            deadline=int(labels.get(f"{LABEL}.deadline", "0")),
        )
    except ValueError:  # not labelled by us: nobody's
        return Found(handle, UUID(int=0), 0, 0)


def _is_timeout(exc: BaseException | None) -> bool:
    """`wait` with a timeout ends in a read timeout, which the SDK reports in two ways."""
    return isinstance(exc, requests.ReadTimeout) or (
        isinstance(exc, requests.ConnectionError) and "read timed out" in str(exc).lower()
    )
