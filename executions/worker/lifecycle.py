"""Hooks a worker process into Celery: what it tells of itself and looks for beside the runs, and an orderly end."""

import os
import socket
import threading
import time
from typing import Any

import redis
import structlog
from celery.signals import celeryd_after_setup, worker_ready, worker_shutting_down
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from executions import dispatch, limits
from executions.connections import redis_client
from executions.dispatch import queue
from executions.dispatch.sweeping import Swept, reap
from executions.errors import RunnerError
from executions.nodes.models import Node
from executions.nodes.naming import this_node
from executions.nodes.reporting import Reporter
from executions.notify import WORKERS
from executions.runners import default_runner, wasm_runner
from executions.runners.base import Stop
from executions.sharing import choosing
from executions.worker import heartbeat
from executions.worker.checking import Checker
from executions.worker.keeper import Keeper
from executions.worker.running import run_next
from executions.worker.tidying import Tidier

log = structlog.get_logger(__name__)
keeper = Keeper()
_ending = threading.Event()
# How often a worker with room looks for work that no message told it of.
LOOK_SECONDS = 1.0


def name() -> str:
    """This worker's name in rows and on the health page."""
    return f"{socket.gethostname()}:{os.getpid()}"


def work() -> None:
    """Run one execution after another until there is nothing for this worker, or it is to stop."""
    while not _ending.is_set():
        close_old_connections()
        if not run_next(this_node(), name(), keeper):
            return


@celeryd_after_setup.connect
def _read_own_queue(instance: Any, **_: Any) -> None:
    """Beside the queue of all workers, that of this node: what only it can run wakes nobody else."""
    if queue.QUEUE in instance.app.amqp.queues.consume_from:
        instance.app.amqp.queues.select_add(queue.of_node(this_node()))


@worker_ready.connect
def _start(sender: Any, **_: Any) -> None:
    """Only workers that serve the executions queue have an engine to look after."""
    if queue.QUEUE in sender.app.amqp.queues.consume_from:
        slots = int(sender.controller.concurrency)
        watch = _Watch(slots)
        threading.Thread(target=watch.run, name="engine", daemon=True).start()
        threading.Thread(target=_listen, args=[watch], name="told", daemon=True).start()
        threading.Thread(target=wasm_runner().prepare, name="wasm-fill", daemon=True).start()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    _ending.set()
    _stop_runs_later()
    threading.Thread(target=default_runner().close, name="hot-close").start()


def _stop_runs_later() -> threading.Timer:
    timer = threading.Timer(limits.shutdown_grace(), keeper.stop_all, args=[Stop.SHUTDOWN])
    timer.daemon = True
    timer.start()
    return timer


def _listen(watch: "_Watch") -> None:
    """Pass on that something was asked of the workers, until the process ends."""
    while not _ending.is_set():
        try:
            with redis_client().pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
                channel.subscribe(WORKERS)
                while not _ending.is_set():
                    if channel.get_message(timeout=LOOK_SECONDS) is not None:
                        keeper.look()
                        watch.look()
        except redis.RedisError:
            _ending.wait(LOOK_SECONDS)


class _Watch:
    """Reports the node, reaps its engine, and looks for work, in one thread."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._reporter = Reporter(slots)
        self._tidier = Tidier()
        self._checker = Checker()
        self._reported = 0.0
        self._able = False
        self._told = threading.Event()
        self._drain_timer: threading.Timer | None = None

    def look(self) -> None:
        """Look now what is asked of the node."""
        self._told.set()

    def run(self) -> None:
        while not _ending.is_set():
            close_old_connections()
            try:
                if self._told.is_set() or time.monotonic() - self._reported >= heartbeat.EVERY_SECONDS:
                    self._told.clear()
                    self._reported = time.monotonic()
                    self._report()
                if self._able:
                    self._checker.look()
                if self._able and len(keeper) < self._slots and dispatch.waiting(this_node()):
                    queue.wake(queue.of_node(this_node()))
            except (redis.RedisError, DatabaseError) as exc:
                log.warning("engine_not_looked_after", error=type(exc).__name__)
                connection.close()
            except Exception:
                # Whatever it is: without this thread the node would be silent, and nobody would look after its engine.
                log.exception("engine_not_looked_after")
            self._told.wait(LOOK_SECONDS)
        self._checker.stop()
        connection.close()
        try:
            heartbeat.farewell(name())
        except redis.RedisError:
            log.warning("farewell_not_said")

    def _report(self) -> None:
        node = self._reporter.report()
        self._able = node.state == Node.State.READY
        self._drain(node)
        heartbeat.beat(name(), engine_ok=node.engine_ok, engine=node.engine, running=len(keeper))
        dispatch.sweep_in_turn()
        if node.engine_ok:
            try:
                reap(default_runner(), Swept())
                self._tidier.step()
                if self._able:
                    default_runner().tend(choosing.room(node.name))
                else:
                    default_runner().dismiss()
            except RunnerError as exc:
                log.warning("engine_not_reaped", error=exc.message)

    def _drain(self, node: Node) -> None:
        if node.state != Node.State.DRAINING:
            if self._drain_timer is not None:
                self._drain_timer.cancel()
                self._drain_timer = None
        elif self._drain_timer is None:
            log.info("node_draining", node=node.name, running=len(keeper))
            self._drain_timer = _stop_runs_later()
