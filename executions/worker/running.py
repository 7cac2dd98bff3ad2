"""One execution, from the message to its final state."""

from dataclasses import replace

import structlog

from executions import dispatch, documents, limits, logs
from executions.errors import RunnerUnavailableError
from executions.logs import LogWriter, Stream
from executions.models import Execution
from executions.runners import default_runner, runner_for
from executions.runners.base import Connection, Control, Ending, Runner, RunOutcome, RunSpec
from executions.worker import egress
from executions.worker.keeper import Keeper
from executions.worker.patience import patiently

log = structlog.get_logger(__name__)


def run_next(node: str, worker: str, keeper: Keeper, runner: Runner | None = None) -> bool:
    """Claim and run what `node` should run next; False when there is nothing for it. Without a container engine only
    WebAssembly agents are claimed. `runner` stands in for all of this worker's."""
    execution = dispatch.claim_next(node, worker, containers=_answers(runner or default_runner()))
    if execution is None:
        return False
    run_claimed(execution, keeper, runner or runner_for(execution.version.kind))
    return True


def _answers(runner: Runner) -> bool:
    try:
        runner.probe()
    except RunnerUnavailableError:
        return False
    return True


def run_claimed(execution: Execution, keeper: Keeper, runner: Runner) -> None:
    """Run an execution that was claimed for us to its end."""
    with structlog.contextvars.bound_contextvars(
        execution_id=str(execution.pk), user_id=str(execution.user_id), attempt=execution.attempt
    ):
        _run_claimed(execution, keeper, runner)


def _run_claimed(execution: Execution, keeper: Keeper, runner: Runner) -> None:
    control = Control()
    keeper.watch(execution.pk, execution.attempt, control)
    try:
        earlier = logs.earlier(execution.pk, execution.attempt, execution.last_seq)
        with LogWriter(execution.pk, execution.attempt, earlier) as writer:
            outcome = _run(execution, writer, control, runner)
        patiently(lambda: dispatch.finish(execution, outcome, writer.lines))
    finally:
        keeper.forget(execution.pk)
        control.close()


def _run(execution: Execution, writer: LogWriter, control: Control, runner: Runner) -> RunOutcome:
    sink = _Sink(execution, writer)
    if execution.attempt > 1 and execution.error:
        sink.event(f"Attempt {execution.attempt}. {execution.error}")
    spec = RunSpec(
        execution_id=execution.pk,
        attempt=execution.attempt,
        image=execution.version.image,
        module=execution.version.module,
        input=documents.dump(execution.input),
        limits=replace(limits.for_version(execution.version), timeout=execution.deadline_seconds),
        hosts=tuple(execution.version.hosts),
        runtime=execution.version.runtime,
        gpus=execution.version.gpus,
    )
    try:
        outcome = runner.run(spec, sink, control)
    except Exception:
        log.exception("runner_failed", attempt=execution.attempt)
        outcome = RunOutcome(Ending.INFRASTRUCTURE, "The platform failed to run the agent.")
    egress.keep(execution, sink.connections)
    if outcome.message:
        sink.event(outcome.message)
    return outcome


class _Sink:
    """Carries what the runner reports to the row and the log."""

    def __init__(self, execution: Execution, writer: LogWriter) -> None:
        self._execution = execution
        self._writer = writer
        self.connections = egress.Record(self.event)

    def started(self, handle: str) -> bool:
        return patiently(lambda: dispatch.begin(self._execution.pk, self._execution.attempt, handle))

    def line(self, source: str, text: str, at: float) -> None:
        self._writer.write(Stream(source), text, at)

    def event(self, text: str) -> None:
        self._writer.write(Stream.EVENT, text)

    def connection(self, connection: Connection) -> None:
        self.connections.add(connection)
