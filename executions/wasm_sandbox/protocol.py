"""What the worker and a process of the sandbox say to each other, over one socket.

The process says READY. The worker sends the job as one JSON object, with the compiled module as a file descriptor
beside it, and gets the report as one JSON object when the guest has ended. It closes its end to call all of it off.
"""

from dataclasses import dataclass

READY = b"ready\n"


@dataclass(frozen=True, slots=True)
class Job:
    """Sizes in bytes, `timeout` in seconds, `fuel` in instructions."""

    timeout: float
    memory: int
    cpu_seconds: int
    fuel: int


@dataclass(frozen=True, slots=True)
class Report:
    """How the guest ended: `exited`, `trapped`, `timed_out`, `out_of_fuel`, or `unusable` for the module's own fault.
    `memory` is what it had at the end."""

    ending: str
    code: int = 0
    message: str = ""
    memory: int = 0
