"""Periodic chores of this room."""

from celery import shared_task
from django.core.management import call_command

from wallets.credentials import tokens
from wallets.signin import sessions
from wallets.smart_accounts.tasks import follow_user_operations

__all__ = ["clear_expired", "follow_user_operations"]


@shared_task
def clear_expired() -> None:
    """Forget browser sessions and token families that can no longer be used."""
    call_command("clearsessions")
    sessions.clear_ended()
    tokens.clear_expired()
