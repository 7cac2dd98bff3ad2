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
    """The input breaks the version's schema or a limit; `fields` holds JSON pointers."""

    code = "input_invalid"


class FileError(ExecutionError):
    """A file that is not taken."""

    code = "file_refused"


class FileTooLargeError(FileError):
    code = "file_too_large"


class FileTypeError(FileError):
    """By its content it is something else than what is asked for."""

    code = "file_type"


class TooManyFilesError(FileError):
    """More uploads than a person may have without using them."""

    code = "too_many_files"
    http_status = 409
    permanent = False


class FilesFullError(FileError):
    """A person's files take all the space that one may have."""

    code = "files_full"
    http_status = 409
    permanent = False


class FileInUseError(FileError):
    """A run has it."""

    code = "file_in_use"
    http_status = 409


class LinkError(FileError):
    """The signed address of a file that leads nowhere (any more)."""

    code = "link_expired"
    http_status = 410


class UnknownAgentError(ExecutionError):
    code = "unknown_agent"
    http_status = 404


class NoLiveVersionError(ExecutionError):
    """Nothing of this agent may be run now: no version, a withdrawn one, or the agent is suspended."""

    code = "no_live_version"
    http_status = 409


class TooManyExecutionsError(ExecutionError):
    code = "too_many_executions"
    http_status = 429
    permanent = False


class QueueFullError(TooManyExecutionsError):
    """As many executions wait as the platform takes."""

    code = "queue_full"


class DailyQuotaError(TooManyExecutionsError):
    """What a person or an agent may have a day is used up."""

    code = "daily_quota"


class InvalidCancelAfterError(ExecutionError):
    code = "invalid_cancel_after"


class IdempotencyConflictError(ExecutionError):
    """The key was used before for another request."""

    code = "idempotency_conflict"
    http_status = 409


class InvalidIdempotencyKeyError(ExecutionError):
    code = "invalid_idempotency_key"


class NotFinishedError(ExecutionError):
    code = "not_finished"
    http_status = 409
    permanent = False


class NotYoursError(ExecutionError):
    code = "not_yours"
    http_status = 403


class RunnerError(ExecutionError):
    """An engine did not do what it was asked."""

    code = "runner_failed"
    http_status = 503
    permanent = False


class RunnerUnavailableError(RunnerError):
    """No engine could be reached; the execution stays queued."""

    code = "runner_unavailable"
