"""The life of an execution: asked for, claimed by a worker, ended; and what keeps it going when something dies.

A message to the workers is only an id and may be lost or come twice: the row decides. A worker owns an execution by its
attempt number, and every write it makes names that number.
"""

from executions.dispatch.cancelling import cancel
from executions.dispatch.claims import begin, claim, give_back, postpone, renew, standing
from executions.dispatch.ending import end
from executions.dispatch.finishing import finish
from executions.dispatch.requests import request
from executions.dispatch.sweeping import sweep

__all__ = [
    "begin",
    "cancel",
    "claim",
    "end",
    "finish",
    "give_back",
    "postpone",
    "renew",
    "request",
    "standing",
    "sweep",
]
