"""Asking for an execution."""

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from executions import documents, limits
from executions.dispatch import queue
from executions.errors import (
    IdempotencyConflictError,
    InputInvalidError,
    InvalidCancelAfterError,
    InvalidIdempotencyKeyError,
    NoEntitlementError,
    NoLiveVersionError,
)
from executions.files import storing, using
from executions.models import Execution, File
from executions.sharing import quotas
from marketplace.catalogue.demands import needs
from marketplace.catalogue.file_members import file_members
from marketplace.catalogue.validation import SchemaUnusableError, validate
from marketplace.models import Agent, AgentVersion
from marketplace.purchases.access import has_access
from wallets.models import User

log = structlog.get_logger(__name__)


def request(
    user: User,
    agent: Agent,
    input: Any,  # noqa: A002  the word everywhere else: model, API, pages
    version: AgentVersion | None = None,
    idempotency_key: str | None = None,
    *,
    priority: Execution.Priority = Execution.Priority.NORMAL,
    cancel_after: timedelta | None = None,
) -> Execution:
    """Queue a run of `version` (the agent's live one when not given) on the JSON document `input`.

    With an idempotency key, asking the same again returns the execution of the first time. Everything is checked before
    anything is queued. What has not ended `cancel_after` from now is cancelled. Raises NoEntitlementError,
    NoLiveVersionError, InputInvalidError (its `fields` are JSON pointers), TooManyExecutionsError (QueueFullError,
    DailyQuotaError), FilesFullError, InvalidCancelAfterError, IdempotencyConflictError, InvalidIdempotencyKeyError.
    """
    _check_key(idempotency_key)
    _check_cancel_after(cancel_after)
    asked = documents.fingerprint(str(agent.pk), str(version.pk) if version else None, input)
    earlier = _earlier(user, idempotency_key, asked)
    if earlier is not None:
        return earlier
    _check_access(user, agent)
    chosen = _choose(agent, version)
    check_input(input, chosen)
    files = using.check(user, input, chosen.input_schema)
    if file_members(chosen.output_schema):
        storing.check_space(user)
    wishes = {
        "priority": min(priority, Execution.Priority.HIGH),  # urgent is for staff to give
        "cancel_at": None if cancel_after is None else timezone.now() + cancel_after,
    }
    return _queue(user, chosen, input, files, idempotency_key, asked, wishes)


def check_input(document: Any, version: AgentVersion) -> None:
    """Raise InputInvalidError, with a sentence per offending member, unless the version can be run on `document`."""
    problem = documents.unstorable(document)
    if problem is not None:
        pointer, sentence = problem
        raise InputInvalidError("The input cannot be used.", fields={pointer or "/": sentence})
    allowed = limits.current().input
    if len(documents.dump(document)) > allowed:
        raise InputInvalidError(f"The input must be at most {allowed:,} bytes of JSON.", code="input_too_large")
    try:
        errors = validate(document, version.input_schema)
    except SchemaUnusableError as exc:
        raise InputInvalidError(f"The input cannot be checked: {exc} Tell the agent's creator.") from exc
    if errors:
        raise InputInvalidError("The input does not fit what this agent asks for.", fields=errors)


def _queue(
    user: User,
    version: AgentVersion,
    document: Any,
    files: list[File],
    key: str | None,
    asked: str,
    wishes: dict[str, Any],
) -> Execution:
    with transaction.atomic():
        # One request of a user at a time: two at once would both see room for one more, or both find the key unused.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        earlier = _earlier(user, key, asked)
        if earlier is not None:
            return earlier
        quotas.check(user, version.agent)
        now = limits.for_version(version)
        execution = Execution.objects.create(
            user=user,
            agent_id=version.agent_id,
            version=version,
            input=document,
            idempotency_key=key,
            fingerprint=asked,
            deadline_seconds=now.timeout,
            # What it is given lies in its node's memory; what it gives counts as its own.
            memory_bytes=now.memory + sum(file.size for file in files),
            needs=[] if version.kind == AgentVersion.Kind.WASM else needs(version),
            **wishes,
        )
        using.take(execution, files)
        transaction.on_commit(lambda: _send(execution))
    return execution


def _send(execution: Execution) -> None:
    log.info("execution_requested", execution_id=str(execution.pk), user_id=str(execution.user_id))
    queue.wake()


def _check_key(key: str | None) -> None:
    if key is not None and not (0 < len(key) <= limits.IDEMPOTENCY_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidIdempotencyKeyError(
            f"An idempotency key is 1 to {limits.IDEMPOTENCY_KEY_LENGTH} printable ASCII characters."
        )


def _check_cancel_after(delay: timedelta | None) -> None:
    if delay is not None and not limits.CANCEL_AFTER_LEAST <= delay <= limits.CANCEL_AFTER_MOST:
        raise InvalidCancelAfterError("A run can be cancelled by itself 5 seconds to 7 days after it was asked for.")


def _earlier(user: User, key: str | None, asked: str) -> Execution | None:
    if key is None:
        return None
    earlier = Execution.objects.filter(user=user, idempotency_key=key).first()
    if earlier is not None and earlier.fingerprint != asked:
        raise IdempotencyConflictError("This idempotency key was used for another request. Use a new one.")
    return earlier


def _check_access(user: User, agent: Agent) -> None:
    if agent.status == Agent.Status.SUSPENDED:
        raise NoLiveVersionError("This agent is suspended and cannot be run.", code="agent_suspended")
    access = has_access(user, agent)
    if not access.allowed:
        raise NoEntitlementError("You have no access to this agent. Buy access to run it.")


def _choose(agent: Agent, version: AgentVersion | None) -> AgentVersion:
    chosen = version or agent.live_version
    if chosen is None:
        raise NoLiveVersionError("This agent has no version that can be run.")
    if chosen.agent_id != agent.pk:
        raise NoLiveVersionError("This version belongs to another agent.", code="unknown_version")
    if chosen.status != AgentVersion.Status.LIVE:
        raise NoLiveVersionError(f"Version {chosen.number} was withdrawn.", code="version_withdrawn")
    if chosen.verdict == AgentVersion.Verdict.PENDING:
        raise NoLiveVersionError(f"Version {chosen.number} is still being checked.", code="version_being_checked")
    if chosen.verdict == AgentVersion.Verdict.REFUSED:
        raise NoLiveVersionError(
            f"Version {chosen.number} was refused: {chosen.verdict_reason}", code="version_refused"
        )
    return chosen
