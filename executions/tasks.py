"""Celery tasks: thin, idempotent, ids only."""

from uuid import UUID

from celery import shared_task

from executions import dispatch, retention
from executions.runners import default_runner
from executions.worker import lifecycle, run_one


@shared_task
def run_execution(execution_id: str) -> None:
    """Run one execution, if it is still to be run."""
    run_one(UUID(execution_id), lifecycle.name(), lifecycle.keeper)


@shared_task
def delete_old_documents() -> None:
    """Delete inputs, outputs and logs whose time is over."""
    retention.delete_old_documents()


@shared_task
def sweep_executions() -> None:
    """Put right what a dead message, worker or engine left behind."""
    dispatch.sweep(default_runner())
