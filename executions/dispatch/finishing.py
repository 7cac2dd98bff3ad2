"""From a runner's outcome to the execution's final state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from executions import documents, limits
from executions.dispatch.claims import give_back
from executions.dispatch.ending import end
from executions.logs import Line
from executions.logs.text import plain
from executions.models import Execution
from executions.runners.base import Ending, RunOutcome
from executions.states import Status
from marketplace.catalogue.validation import SchemaUnusableError, validate

log = structlog.get_logger(__name__)
Reason = Execution.Reason
SHOWN_ERRORS = 5
# Characters of a sentence for the person who asked.
LONGEST_SENTENCE = 2_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run comes to."""

    status: Status
    reason: str = Reason.NONE
    error: str = ""
    output: Any = None


_COMMAND_FAULTS = {126: "cannot be executed", 127: "was not found"}
_FAILURES = {
    Ending.OUT_OF_MEMORY: Reason.OUT_OF_MEMORY,
    Ending.OUTPUT_LIMIT: Reason.OUTPUT_LIMIT,
    Ending.IMAGE: Reason.IMAGE,
    Ending.BAD_FILES: Reason.BAD_OUTPUT,
    Ending.INFRASTRUCTURE: Reason.INFRASTRUCTURE,
}


def finish(
    execution: Execution, outcome: RunOutcome, lines: Sequence[Line] | None = None, files: Sequence[UUID] = ()
) -> bool:
    """Write down how the attempt in `execution.attempt` ended; False when the hold was lost meanwhile.

    The agent's own failures are final. The platform's are tried again: without an engine until there is one, otherwise
    MAX_INFRASTRUCTURE_FAILURES times in all. `lines` is the whole log so far, `files` are
    those of the result.
    """
    last_seq = lines[-1].seq if lines else None
    # Names in it may be an agent's or an image's: what the database does not take must not cost the run its end.
    outcome = replace(outcome, message=_storable(outcome.message))
    if outcome.ending == Ending.LOST:
        return False
    if outcome.ending == Ending.SHUTDOWN:
        return give_back(execution.pk, execution.attempt, outcome.message, last_seq=last_seq, failed=False)
    if outcome.ending == Ending.UNAVAILABLE:
        return give_back(
            execution.pk,
            execution.attempt,
            outcome.message,
            last_seq=last_seq,
            delay=limits.RETRY_AFTER,
            failed=False,
        )
    last_chance = execution.failures + 1 >= limits.MAX_INFRASTRUCTURE_FAILURES
    if outcome.ending == Ending.INFRASTRUCTURE and not last_chance:
        return give_back(execution.pk, execution.attempt, outcome.message, last_seq=last_seq, delay=limits.RETRY_AFTER)
    verdict = judge(outcome, execution.version.output_schema)
    changes: dict[str, Any] = {"reason": verdict.reason, "output": verdict.output, "exit_code": outcome.exit_code}
    if outcome.ending != Ending.CANCELLED:  # who cancelled has left a note
        changes["error"] = verdict.error
    if outcome.ending == Ending.INFRASTRUCTURE:
        changes["failures"] = execution.failures + 1
    kept = files if verdict.status == Status.SUCCEEDED else ()
    return end(execution.pk, verdict.status, held_by=execution.attempt, lines=lines, files=kept, **changes)


def judge(outcome: RunOutcome, output_schema: Mapping[str, Any]) -> Verdict:
    """The state and reason of a run that is over."""
    if outcome.ending == Ending.CANCELLED:
        return Verdict(Status.CANCELLED)
    if outcome.ending == Ending.TIMED_OUT:
        return Verdict(Status.TIMED_OUT, error=outcome.message)
    if outcome.ending in _FAILURES:
        return Verdict(Status.FAILED, _FAILURES[outcome.ending], outcome.message)
    if outcome.exit_code != 0:
        return Verdict(Status.FAILED, Reason.EXIT, f"{_exit_sentence(outcome.exit_code)} {outcome.message}".strip())
    return _judge_output(outcome.output, output_schema)


def _judge_output(raw: bytes | None, schema: Mapping[str, Any]) -> Verdict:
    def bad(sentence: str) -> Verdict:
        return Verdict(Status.FAILED, Reason.BAD_OUTPUT, _storable(sentence))

    if raw is None:
        return bad("The agent ended well but wrote no result: no line of its output is a JSON document.")
    output = documents.parse(raw)  # the runner has parsed it once already
    try:
        errors = validate(output, schema)
    except SchemaUnusableError as exc:
        return bad(f"The result cannot be checked: {exc}")
    if not errors:
        return Verdict(Status.SUCCEEDED, output=output)
    shown = [f"{pointer}: {sentence}" for pointer, sentence in list(errors.items())[:SHOWN_ERRORS]]
    return bad(f"The result does not fit the agent's own schema. {' '.join(shown)}")


def _storable(sentence: str) -> str:
    shown = plain(sentence)
    return shown if len(shown) <= LONGEST_SENTENCE else f"{shown[:LONGEST_SENTENCE]}…"


def _exit_sentence(code: int | None) -> str:
    if code is not None and code in _COMMAND_FAULTS:
        return f"The image's command {_COMMAND_FAULTS[code]} (exit code {code})."
    if code is not None and code > 128:
        return f"The agent was ended by signal {code - 128} (exit code {code})."
    return f"The agent stopped with exit code {code}."
