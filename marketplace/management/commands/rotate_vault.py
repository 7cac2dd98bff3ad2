"""After a new key was put first in VAULT_KEYS: encrypt everything with it. Then the old keys can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.errors import VaultError
from marketplace.vault.operations import rotate


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = rotate()
        except VaultError as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(f"{count} values are encrypted with the first key.")
