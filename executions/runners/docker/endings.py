"""How it is said that a run ended, or could not begin."""

from executions.runners.base import Ending, RunOutcome, RunSpec, Stop
from executions.runners.docker.engine import EngineCallError

STOPPED = {
    Stop.CANCELLED: RunOutcome(Ending.CANCELLED, "Cancelled."),
    Stop.SHUTDOWN: RunOutcome(Ending.SHUTDOWN, "The worker was shut down."),
    Stop.LOST: RunOutcome(Ending.LOST),
}
# How the engine words it when the image's command, not the machine, is at fault.
_IMAGE_FAULTS = (
    "executable file not found",
    "no such file or directory",
    "permission denied",
    "exec format error",
    "not a directory",
    "inside /proc",
    "chdir to cwd",
    "is a directory",
    "argument list too long",
    "mkdir",
)
# And when the runtime itself could not be started, which it says in the same words.
_RUNTIME_GONE = ("unable to retrieve OCI runtime error", "looking up the specified runtime path")


def timed_out(spec: RunSpec) -> RunOutcome:
    return RunOutcome(Ending.TIMED_OUT, f"The agent ran longer than the {spec.limits.timeout} seconds it has.")


def out_of_memory(spec: RunSpec) -> str:
    return f"The agent used more than the {spec.limits.memory // 1_048_576} MiB of memory it has."


def refusal(exc: EngineCallError) -> str:
    """For the person who asked."""
    if "could not select device driver" in exc.message.lower():
        return "This machine has no GPU for agents, which this version asks for."
    if _has(exc, _RUNTIME_GONE):
        return "The runtime of this machine could not be started: its program may be missing."
    return "The Docker engine could not run the agent."


def image_fault(exc: EngineCallError) -> str | None:
    """A sentence when the image's command is to blame that the engine could not start it; None when the machine is."""
    if _has(exc, _RUNTIME_GONE) or not _has(exc, _IMAGE_FAULTS):
        return None
    said = exc.message.rpartition("starting container process caused: ")[2][:200]
    return f"The image's command could not be started: {said}"


def _has(exc: EngineCallError, any_of: tuple[str, ...]) -> bool:
    return any(words in exc.message for words in any_of)
