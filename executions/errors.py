"""The executions room's errors."""

from chain.errors import DomainError


class ExecutionError(DomainError):
    """Root of the executions room's errors."""

    code = "execution_error"
    http_status = 422


class NoEntitlementError(ExecutionError):
    code = "no_entitlement"
    http_status = 403


class InputInvalidError(ExecutionError):
    """The input breaks the version's schema; `fields` holds JSON pointers."""

    code = "input_invalid"


class NoLiveVersionError(ExecutionError):
    code = "no_live_version"
    http_status = 409


class TooManyExecutionsError(ExecutionError):
    code = "too_many_executions"
    http_status = 429
    permanent = False


class RunnerUnavailableError(ExecutionError):
    """No engine could be reached; the execution stays queued."""

    code = "runner_unavailable"
    http_status = 503
    permanent = False
