"""The listener as a process: one thread a network, each also driving the network's outbox."""

import threading
import time
from collections.abc import Callable

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from chain import findings
from chain.audit import audit
from chain.errors import ChainError, ChainResetError, NotDeployedError, RpcUnavailableError
from chain.listener.heartbeat import beat
from chain.listener.listener import Listener
from chain.models import Cursor
from chain.networks import Network
from chain.outbox import Sender
from chain.rpc.agreement import disagreement, set_laggards_aside

logger = structlog.get_logger(__name__)

RESCAN_SECONDS = 60.0
BACKFILL_SECONDS = 24 * 3600.0
AUDIT_SECONDS = 3600.0
AUDITED_HOLDERS = 200
STALLED_BLOCKS = 15
SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 30.0


class Follower:
    """Follows one network until it is told to stop."""

    def __init__(self, network: Network, stop: threading.Event) -> None:
        self.network = network
        self._stop = stop
        self._listener = Listener(network)
        self._sender = Sender(network)
        self._failures = 0
        self._rescanned_at = time.monotonic()
        self._backfilled_at = time.monotonic() - BACKFILL_SECONDS
        self._audited_at = time.monotonic() - AUDIT_SECONDS + RESCAN_SECONDS
        self._progressed_at = time.monotonic()
        self._busy = False
        self._longest_pause = LONGEST_PAUSE
        self._trouble = ""
        self._disagreement = ""
        self._drift = ""

    def run(self) -> None:
        """Poll until stopped. Outages of the node or the database, and errors of handlers, are waited out: nothing is
        skipped, so a handler that always fails holds the network's events up, and says so in log and health."""
        logger.info("listener_started", network=self.network.slug, chain_id=self.network.chain_id)
        try:
            while not self._stop.is_set():
                self._stop.wait(self.round())
        finally:
            connection.close()
            logger.info("listener_stopped", network=self.network.slug)

    def round(self) -> float:
        """One round of work; seconds to wait before the next."""
        close_old_connections()
        self._busy, self._longest_pause = False, LONGEST_PAUSE
        trouble = self._attempt(self._listen)
        if not self._busy:
            # Sending does not wait for a handler that fails, nor listening for a key that is missing.
            trouble = self._attempt(self._sender.step) or trouble
        self._beat(trouble)
        self._trouble = trouble
        if trouble:
            self._failures += 1
            return min(self._longest_pause, SHORTEST_PAUSE * (1 << min(self._failures, 10)))
        self._failures = 0
        return 0.0 if self._busy else max(SHORTEST_PAUSE, self.network.block_time / 2)

    def _listen(self) -> None:
        self._busy = self._listener.step() > 0
        if self._busy:
            self._progressed_at = time.monotonic()
        else:
            self._look_back()
            self._look_around()

    def _attempt(self, work: Callable[[], object]) -> str:
        """Do `work`; a sentence on what went wrong, or ""."""
        try:
            work()
        except ChainError as exc:
            if exc.message != self._trouble:
                log = logger.warning if isinstance(exc, RpcUnavailableError | NotDeployedError) else logger.error
                log("listener_waits", network=self.network.slug, code=exc.code, detail=exc.message)
            if isinstance(exc, NotDeployedError) or (self.network.is_local and isinstance(exc, ChainResetError)):
                self._longest_pause = self.network.block_time  # somebody is about to deploy, and wants to see it work
            return exc.message
        except (DatabaseError, InterfaceError) as exc:
            logger.exception("listener_database_error", network=self.network.slug)
            connection.close()
            return f"The database failed ({type(exc).__name__})."
        except Exception as exc:  # a handler of a higher room; the listener must outlive it
            logger.exception("listener_handler_error", network=self.network.slug)
            return f"A handler failed ({type(exc).__name__}); see the listener's log."
        return ""

    def _look_back(self) -> None:
        """At the head: read the last blocks again every minute and a day's blocks every day, and hold what we know
        against the chain every hour, first when the start is a minute past."""
        now = time.monotonic()
        if now - self._rescanned_at >= RESCAN_SECONDS:
            self._rescanned_at = now
            self._listener.rescan()
            self._disagreement = disagreement(self._listener.pool, self.network.confirmations)
        if now - self._backfilled_at >= BACKFILL_SECONDS:
            self._backfilled_at = now
            self._listener.backfill(int(BACKFILL_SECONDS) // self.network.block_time)
        if now - self._audited_at >= AUDIT_SECONDS:
            self._audited_at = now
            self._audit()

    def _look_around(self) -> None:
        """Without a new block for long: perhaps our endpoint stands still while others go on."""
        now = time.monotonic()
        if (
            now - self._progressed_at < STALLED_BLOCKS * self.network.block_time
            or len(self._listener.pool.endpoints) < 2
        ):
            return
        self._progressed_at = now
        set_laggards_aside(self._listener.pool)

    def _audit(self) -> None:
        self._drift = ""
        all_findings = list(audit(self.network, AUDITED_HOLDERS))
        findings.keep(self.network, all_findings)
        for finding in all_findings:
            if not finding.ok:
                self._drift = self._drift or f"{finding.name}: {finding.detail} (manage.py check_chain tells more)."
                logger.error("chain_differs", network=self.network.slug, what=finding.name, detail=finding.detail)

    def _beat(self, trouble: str) -> None:
        try:
            cursor = Cursor.objects.filter(network=self.network.slug).first()
        except (DatabaseError, InterfaceError):
            cursor = None
        block, head = (cursor.block_number, cursor.head_number) if cursor else (-1, -1)
        beat(self.network, block, head, trouble, self._disagreement or self._drift)


def follow(networks: tuple[Network, ...], stop: threading.Event) -> None:
    """Follow all of `networks` until `stop` is set, and return once every thread has finished its transaction."""
    threads = [
        threading.Thread(target=Follower(network, stop).run, name=f"listen-{network.slug}") for network in networks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def catch_up(network: Network) -> int:
    """Read up to the head once; the number of blocks read. Raises what `Listener.step` raises."""
    listener = Listener(network)
    total = 0
    while count := listener.step():
        total += count
    return total
