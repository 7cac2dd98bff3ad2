"""`manage.py rebuild_ledger [NETWORK]`: write purchases and credits anew from the escrow's events that we have."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain.errors import ChainError
from chain.networks import all_networks, get_network
from marketplace.payouts.rebuilding import rebuild


class Command(BaseCommand):
    help = "Write purchases, credits and withdrawals anew from the escrow's events that we have. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", nargs="?", default="", help="default: every network")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            networks = (get_network(options["network"]),) if options["network"] else all_networks()
        except ChainError as exc:
            raise CommandError(exc.message) from exc
        for network in networks:
            self.stdout.write(f"{network.name}: {rebuild(network.slug)} events noted again.")
