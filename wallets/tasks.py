"""Periodic chores of this room."""

from celery import shared_task
from django.core.management import call_command

from wallets.credentials import tokens


@shared_task
def clear_expired() -> None:
    """Forget browser sessions and token families that can no longer be used."""
    call_command("clearsessions")
    tokens.clear_expired()
