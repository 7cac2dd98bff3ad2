"""manage.py reset_second_factor EMAIL: for a member of staff who lost phone, passkeys and recovery codes."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser

from wallets.models import User
from wallets.signin import sessions


class Command(BaseCommand):
    help = "Removes all second factors of an account and signs it out; at the next entry its owner sets up new ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError("There is no account with this e-mail address.")
        removed, _ = Authenticator.objects.filter(user=user).delete()
        sessions.revoke_all(user)
        self.stdout.write(f"{removed} removed; {user.email} is signed out everywhere.")
