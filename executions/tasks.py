"""Celery tasks: thin and idempotent."""

from celery import shared_task

from executions import dispatch, retention
from executions.files import cleaning
from executions.runners import default_runner
from executions.worker import heartbeat, lifecycle


@shared_task(acks_late=False)  # a message that is lost is missed by nobody
def run_next() -> None:
    """Run what is to be run next, until nothing is left for this worker."""
    lifecycle.work()


@shared_task
def delete_old_documents() -> None:
    """Delete inputs, outputs and logs whose time is over."""
    retention.delete_old_documents()


@shared_task
def clean_files() -> None:
    """Delete uploads that nobody used, and what interrupted deletions left."""
    cleaning.clean()


@shared_task
def sweep_executions() -> None:
    """Put right what a dead message, worker or engine left behind."""
    heartbeat.scheduled()
    dispatch.sweep_in_turn(default_runner())
