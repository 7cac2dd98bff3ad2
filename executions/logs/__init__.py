"""The log of an execution: numbered lines in a Redis stream while it runs, one compressed row when it has ended.

Numbers start at 1, have no gap and go on across attempts, so a reader only ever says after which line it wants more.
"""

from executions.logs.archive import LOST, archive, collect, collect_sealed, earlier, forget
from executions.logs.lines import Line, Stream
from executions.logs.reading import LogPage, read
from executions.logs.stream import append
from executions.logs.writer import LogWriter

__all__ = [
    "LOST",
    "Line",
    "LogPage",
    "LogWriter",
    "Stream",
    "append",
    "archive",
    "collect",
    "collect_sealed",
    "earlier",
    "forget",
    "read",
]
