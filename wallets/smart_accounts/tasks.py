"""Periodic chores of smart accounts."""

from celery import shared_task

from wallets.smart_accounts import following, operations


@shared_task
def follow_user_operations() -> None:
    """Look what became of operations on their way, and drop offers that nobody signed."""
    following.follow_all()
    operations.lapse()
