"""Keeps a worker's holds: renews leases, and tells runs when to stop."""

import threading
import time
from uuid import UUID

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from executions import dispatch, limits
from executions.runners.base import Control, Stop

log = structlog.get_logger(__name__)
# A connection to the database is kept this long for the next run.
IDLE_SECONDS = 30.0


class Keeper:
    """One thread per worker process; one query for all runs together every LOOK_EVERY and whenever it is told to look,
    none while nothing runs.

    While the database does not answer, runs go on: a hold that is really lost is fenced at the last write anyway.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[UUID, tuple[int, Control]] = {}
        self._thread: threading.Thread | None = None
        self._closing = False
        self._told = False

    def watch(self, execution_id: UUID, attempt: int, control: Control) -> None:
        """Keep this hold until `forget`."""
        with self._changed:
            self._watched[execution_id] = (attempt, control)
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
                self._thread.start()
            self._changed.notify()

    def forget(self, execution_id: UUID) -> None:
        with self._changed:
            self._watched.pop(execution_id, None)
            self._changed.notify()

    def look(self) -> None:
        """Look now: somebody asked for something."""
        with self._changed:
            self._told = True
            self._changed.notify()

    def stop_all(self, reason: Stop) -> None:
        """Ask every run to end."""
        with self._changed:
            for _, control in self._watched.values():
                control.stop(reason)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def held(self) -> list[UUID]:
        """The executions that it keeps."""
        with self._changed:
            return list(self._watched)

    def __len__(self) -> int:
        return len(self.held())

    def _keep(self) -> None:
        renewed = time.monotonic()
        while (watched := self._next()) is not None:
            renewing = time.monotonic() - renewed >= limits.RENEW_EVERY.total_seconds()
            if self._look(watched, renewing) and renewing:
                renewed = time.monotonic()

    def _next(self) -> dict[UUID, tuple[int, Control]] | None:
        """What to look after, LOOK_EVERY after the last time or when told; None when closing."""
        with self._changed:
            self._sleep()
            if not self._watched and not self._closing:
                if not self._changed.wait_for(lambda: self._closing or bool(self._watched), IDLE_SECONDS):
                    connection.close()
                    self._changed.wait_for(lambda: self._closing or bool(self._watched))
                self._sleep()  # what has just been claimed is held
            self._told = False
            if self._closing:
                connection.close()
                return None
            return dict(self._watched)

    def _sleep(self) -> None:
        self._changed.wait_for(lambda: self._closing or self._told, limits.LOOK_EVERY.total_seconds())

    def _look(self, watched: dict[UUID, tuple[int, Control]], renewing: bool) -> bool:
        if not watched:
            return False
        holds = {execution_id: attempt for execution_id, (attempt, _) in watched.items()}
        try:
            standings = dispatch.standing(holds)
            if any(standing.overdue for standing in standings.values()):
                dispatch.cancel_overdue()
                standings = dispatch.standing(holds)
            if renewing:
                dispatch.renew(holds)
        except DatabaseError as exc:
            log.warning("keeper_without_database", error=type(exc).__name__)
            connection.close()
            return False
        except Exception:
            # Whatever it is: without this thread every run of this worker would be lost.
            log.exception("keeper_failed")
            return False
        for execution_id, (_, control) in watched.items():
            standing = standings[execution_id]
            if not standing.held:
                control.stop(Stop.LOST)
            elif standing.cancel_requested:
                control.stop(Stop.CANCELLED)
        return True
