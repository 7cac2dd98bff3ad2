"""manage.py local_staff FILE [--email E]: a member of staff to look around with on a local chain."""

import json
import secrets
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from chain.networks import default_network
from wallets.models import User


class Command(BaseCommand):
    help = (
        "Makes a superuser with password and authenticator app, both made up here and kept in FILE for its owner only. "
        "Repeated, it brings the account back to what FILE says. Only on a local chain."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--email", default="staff@agentnexus.localhost")

    def handle(self, *args: Any, **options: Any) -> None:
        if not default_network().is_local:
            raise CommandError("This account is for a local chain. Use createsuperuser.")
        file: Path = options["file"]
        kept = json.loads(file.read_text()) if file.exists() else self._made_up(options["email"])
        with transaction.atomic():
            user = User.objects.filter(email=kept["email"]).first()
            user = user or User.objects.create_superuser(kept["email"], kept["password"], display_name="Local staff")
            user.set_password(kept["password"])
            user.is_staff = user.is_superuser = user.is_active = True
            user.save()
            Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
            TOTP.activate(user, kept["secret"])
        file.touch(mode=0o600)
        file.write_text(json.dumps(kept))

    @staticmethod
    def _made_up(email: str) -> dict[str, str]:
        return {"email": email, "password": secrets.token_urlsafe(12), "secret": generate_totp_secret()}
