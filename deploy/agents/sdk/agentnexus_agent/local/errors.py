"""How `agentnexus-agent run` ends, and what keeps it from running anything."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of the command."""

    OK = 0
    AGENT = 1  # the agent ended with another exit code than 0
    USAGE = 2  # the arguments, the input or the manifest: nothing was run
    OUTPUT = 3  # no result, one that does not fit the schema, or more written than a run may
    TIMED_OUT = 4
    OUT_OF_MEMORY = 5
    UNAVAILABLE = 6  # no Docker engine, no such image, a command that cannot be started
    INTERRUPTED = 130


class LocalError(Exception):
    """Nothing was run, or it could not be started; the message is a sentence for the author."""

    exit = Exit.UNAVAILABLE


class UsageError(LocalError):
    """What was asked cannot be done."""

    exit = Exit.USAGE
