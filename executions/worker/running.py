"""One execution, from the message to its final state."""

import contextlib
import functools
from uuid import UUID

import structlog

from executions import dispatch, logs
from executions.dispatch.sweeping import Swept, reap
from executions.errors import FileError, RunnerUnavailableError
from executions.files import cleaning
from executions.files.collecting import collect
from executions.logs import Line, LogWriter, Stream
from executions.models import Execution
from executions.runners import default_runner, runner_for
from executions.runners.base import Connection, Control, Ending, Resuming, Runner, RunOutcome, RunSpec, Seen
from executions.runners.redaction import Redactor
from executions.worker import egress
from executions.worker.keeper import Keeper
from executions.worker.patience import FOR_A_RESULT, patiently
from executions.worker.specs import spec_of
from marketplace.errors import StorageAwayError, VaultError

log = structlog.get_logger(__name__)
TAKEN_OVER = "The worker was lost; another one has taken over, and the agent went on."


def run_next(node: str, worker: str, keeper: Keeper, runner: Runner | None = None) -> bool:
    """Claim and run what `node` should run next; False when there is nothing for it. Without a container engine only
    WebAssembly agents are claimed. `runner` stands in for all of this worker's."""
    containers = _answers(runner or default_runner())
    adopted = dispatch.adopt_next(node, worker, keeper.held()) if containers else None
    execution = adopted or dispatch.claim_next(node, worker, containers=containers)
    if execution is None:
        return False
    run_claimed(execution, keeper, runner or runner_for(execution.version.kind), adopted=adopted is not None)
    return True


def _answers(runner: Runner) -> bool:
    try:
        runner.probe()
    except RunnerUnavailableError:
        return False
    return True


def run_claimed(execution: Execution, keeper: Keeper, runner: Runner, *, adopted: bool = False) -> None:
    """Run an execution that was claimed for us to its end; one that was `adopted` runs already."""
    with structlog.contextvars.bound_contextvars(
        execution_id=str(execution.pk), user_id=str(execution.user_id), attempt=execution.attempt
    ):
        _run_claimed(execution, keeper, runner, adopted)


def _run_claimed(execution: Execution, keeper: Keeper, runner: Runner, adopted: bool) -> None:
    control = Control()
    keeper.watch(execution.pk, execution.attempt, control)
    try:
        earlier = logs.earlier(execution.pk, execution.attempt, execution.last_seq)
        with LogWriter(execution.pk, execution.attempt, earlier) as writer:
            outcome, files = _run(execution, writer, control, runner, adopted)
        if outcome.ending == Ending.LOST:
            reap(runner, Swept())  # its container may be another worker's by now, or nobody's
        patiently(lambda: dispatch.finish(execution, outcome, writer.lines, files), FOR_A_RESULT)
        if files:
            patiently(lambda: cleaning.delete(files))  # those that came to nothing
    finally:
        keeper.forget(execution.pk)
        control.close()


def _run(
    execution: Execution, writer: LogWriter, control: Control, runner: Runner, adopted: bool
) -> tuple[RunOutcome, list[UUID]]:
    """The outcome, and the files that were kept of it."""
    sink = _Sink(execution, writer)
    files: list[UUID] = []
    try:
        spec = spec_of(execution)
        # What goes through a proxy of its worker's, or what only its worker can black out, cannot be taken over.
        sink.resumable = not (spec.hosts or spec.secrets)
        if adopted:
            outcome = _resume(execution, spec, sink, control, runner)
        else:
            if execution.attempt > 1 and execution.error:
                sink.event(f"Attempt {execution.attempt}. {execution.error}")
            outcome = runner.run(spec, sink, control)
        if outcome.folder is not None:
            with contextlib.closing(outcome.folder):
                outcome, files = patiently(functools.partial(collect, execution, outcome, Redactor(spec.secrets)))
    except (VaultError, FileError, StorageAwayError) as exc:
        log.error("not_handed_over", execution_id=str(execution.pk), reason=exc.code)
        outcome = RunOutcome(Ending.INFRASTRUCTURE, exc.message)
    except Exception:
        log.exception("runner_failed", attempt=execution.attempt)
        outcome = RunOutcome(Ending.INFRASTRUCTURE, "The platform failed to run the agent.")
    sink.connections.close()
    if outcome.message:
        sink.event(outcome.message)
    return outcome, files


def _resume(execution: Execution, spec: RunSpec, sink: "_Sink", control: Control, runner: Runner) -> RunOutcome:
    """Go on where the worker before us was."""
    lines = sink.lines[execution.log_base :]
    if not isinstance(runner, Resuming) or any(line.text == logs.LOST for line in lines):
        runner.remove(execution.container_id)
        return RunOutcome(Ending.INFRASTRUCTURE, "The worker that ran it disappeared.")
    seen = Seen(
        stdout=tuple(line.text for line in lines if line.stream == Stream.STDOUT),
        stderr=tuple(line.text for line in lines if line.stream == Stream.STDERR),
        events=tuple(line.text for line in lines if line.stream == Stream.EVENT),
    )
    sink.event(TAKEN_OVER)
    left = spec.limits.timeout - dispatch.seconds_run(execution.pk)
    return runner.resume(spec, execution.container_id, seen, left, sink, control)


class _Sink:
    """Carries what the runner reports to the row and the log."""

    def __init__(self, execution: Execution, writer: LogWriter) -> None:
        self._execution = execution
        self._writer = writer
        self.connections = egress.Record(execution, self.event)
        self._fed = self._started = False
        self.resumable = True

    @property
    def lines(self) -> list[Line]:
        """The whole log so far."""
        return self._writer.lines

    def started(self, handle: str) -> bool:
        self._started = True
        base = len(self.lines)
        return patiently(
            lambda: dispatch.begin(self._execution.pk, self._execution.attempt, handle, log_base=base, fed=self._fed)
        )

    def fed(self) -> None:
        self._fed = self.resumable
        if self._fed and self._started:
            patiently(lambda: dispatch.mark_fed(self._execution.pk, self._execution.attempt))

    def line(self, source: str, text: str, at: float) -> None:
        self._writer.write(Stream(source), text, at)

    def event(self, text: str) -> None:
        self._writer.write(Stream.EVENT, text)

    def connection(self, connection: Connection) -> None:
        self.connections.add(connection)
