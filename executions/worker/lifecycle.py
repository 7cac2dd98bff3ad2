"""Hooks a worker process into Celery: a heartbeat and a reaper beside the runs, and an orderly end."""

import os
import socket
import threading
from typing import Any

import redis
import structlog
from celery.signals import worker_ready, worker_shutting_down
from django.db import Error as DatabaseError
from django.db import connection

from executions import limits
from executions.dispatch.queue import QUEUE
from executions.dispatch.sweeping import Swept, reap
from executions.errors import RunnerUnavailableError
from executions.runners import default_runner
from executions.runners.base import Stop
from executions.worker import heartbeat
from executions.worker.keeper import Keeper

log = structlog.get_logger(__name__)
keeper = Keeper()
_ending = threading.Event()


def name() -> str:
    """This worker's name in rows and on the health page."""
    return f"{socket.gethostname()}:{os.getpid()}"


@worker_ready.connect
def _start(sender: Any, **_: Any) -> None:
    """Only workers that serve the executions queue have an engine to look after."""
    if QUEUE in sender.app.amqp.queues.consume_from:
        threading.Thread(target=_look_after_engine, name="engine", daemon=True).start()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    _ending.set()
    timer = threading.Timer(limits.shutdown_grace(), keeper.stop_all, args=[Stop.SHUTDOWN])
    timer.daemon = True
    timer.start()


def _look_after_engine() -> None:
    while True:
        _beat_and_reap()
        if _ending.wait(heartbeat.EVERY_SECONDS):
            try:
                heartbeat.farewell(name())
            except redis.RedisError:
                log.warning("farewell_not_said")
            return


def _beat_and_reap() -> None:
    try:
        ok, engine = True, default_runner().describe()
    except RunnerUnavailableError as exc:
        ok, engine = False, exc.message
    try:
        heartbeat.beat(name(), engine_ok=ok, engine=engine, running=len(keeper))
        if ok:
            reap(default_runner(), Swept())
    except (redis.RedisError, DatabaseError) as exc:
        log.warning("engine_not_looked_after", error=type(exc).__name__)
    finally:
        connection.close()
