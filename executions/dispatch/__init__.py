"""The life of an execution: asked for, claimed by a worker, ended; and what keeps it going when something dies.

A message to the workers carries nothing and may be lost or come twice: the rows decide what runs next. A worker owns an
execution by its attempt number, and every write it makes names that number.
"""

from executions.dispatch.cancelling import cancel, cancel_overdue
from executions.dispatch.claims import (
    adopt_next,
    begin,
    claim,
    claim_next,
    give_back,
    mark_fed,
    renew,
    seconds_run,
    standing,
    waiting,
)
from executions.dispatch.ending import end
from executions.dispatch.finishing import finish
from executions.dispatch.requests import request
from executions.dispatch.sweeping import sweep, sweep_in_turn

__all__ = [
    "adopt_next",
    "begin",
    "cancel",
    "cancel_overdue",
    "claim",
    "claim_next",
    "end",
    "finish",
    "give_back",
    "mark_fed",
    "renew",
    "request",
    "seconds_run",
    "standing",
    "sweep",
    "sweep_in_turn",
    "waiting",
]
