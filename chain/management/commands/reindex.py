"""`manage.py reindex FROM [TO]`: read blocks again and correct the stored events."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain.errors import ChainError
from chain.listener import Listener
from chain.models import Cursor
from chain.networks import default_network, get_network


class Command(BaseCommand):
    help = (
        "Reads blocks again and adds events that were missed, with all their effects. With --singly every block is "
        "read by itself and checked, which is slower and also undoes stored events that are not on the chain."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("first", type=int, metavar="FROM", help="first block")
        parser.add_argument("last", type=int, nargs="?", metavar="TO", help="last block (default: all that was read)")
        parser.add_argument("--network", default="", help="default: the default network")
        parser.add_argument("--singly", action="store_true", help="read and check every block by itself")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            network = get_network(options["network"]) if options["network"] else default_network()
            cursor = Cursor.objects.filter(network=network.slug).first()
            if cursor is None:
                raise CommandError(f"Nothing of {network.name} has been read yet. Start `manage.py listen`.")
            last = cursor.block_number if options["last"] is None else min(options["last"], cursor.block_number)
            if not 0 <= options["first"] <= last:
                raise CommandError(f"FROM must lie between 0 and {last}.")
            added, undone = Listener(network).reindex(
                options["first"], last, singly=options["singly"], progress=self._progress
            )
        except ChainError as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(
            f"Blocks {options['first']} to {last} of {network.name}: {added} events added, {undone} undone."
        )

    def _progress(self, block: int) -> None:
        if self.verbosity > 1:
            self.stdout.write(f"  read up to block {block}")

    verbosity = 1

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.verbosity = options["verbosity"]
        return super().execute(*args, **options)
