"""`manage.py check_chain [NETWORK]`: hold what we know against the chain; change nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain.audit import audit
from chain.errors import ChainError
from chain.networks import all_networks, get_network


class Command(BaseCommand):
    help = (
        "Compares endpoints, contract code, roles, the escrow's books, entitlements, keys and the outbox with the "
        "chain. Changes nothing; fails when something differs, and says what to do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", nargs="?", default="", help="default: every network")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            networks = (get_network(options["network"]),) if options["network"] else all_networks()
        except ChainError as exc:
            raise CommandError(exc.message) from exc
        bad = 0
        for network in networks:
            self.stdout.write(f"{network.name} (chain id {network.chain_id})")
            for finding in audit(network):
                bad += not finding.ok
                mark = self.style.SUCCESS("ok  ") if finding.ok else self.style.ERROR("DIFF")
                self.stdout.write(f"  {mark} {finding.name}: {finding.detail}")
        if bad:
            raise CommandError(f"{bad} of these need attention.")
        self.stdout.write("All as it should be.")
