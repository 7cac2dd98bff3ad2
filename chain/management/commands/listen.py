"""`manage.py listen`: follow the networks, store events, send what is in the outbox."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain.errors import ChainError
from chain.listener.run import catch_up, follow
from chain.networks import all_networks, get_network


class Command(BaseCommand):
    help = (
        "Follows the chain and stores the events of our contracts; also sends the platform's own transactions. "
        "Stops after the step in hand on SIGTERM or Ctrl-C. Any number may run at the same time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--network", action="append", default=[], help="only this network (may be repeated)")
        parser.add_argument("--once", action="store_true", help="read up to the head, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            networks = tuple(get_network(slug) for slug in options["network"]) or all_networks()
            if not networks:
                raise CommandError("No network has an RPC endpoint. Set CHAIN_RPC_URL or BASE_RPC_URLS.")
            if options["once"]:
                for network in networks:
                    self.stdout.write(f"{network.name}: {catch_up(network)} blocks read")
                return
        except ChainError as exc:
            raise CommandError(exc.message) from exc
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        follow(networks, stop)
