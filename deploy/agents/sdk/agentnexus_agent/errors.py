"""What can go wrong in a run, and the exit code that says so."""

EXIT_EXCEPTION = 1
EXIT_INPUT = 2
EXIT_RESULT = 3


class AgentError(Exception):
    """A failure whose message is meant for the person who runs the agent: it is shown without a traceback."""


class InputError(Exception):
    """The document on stdin cannot be used."""


class ResultError(Exception):
    """The returned value cannot be written as JSON."""
