"""`manage.py seed_agents --file FILE`: register the sample agents that were built by `deploy.agents.build`."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain.errors import DomainError
from chain.forms import parse_address
from chain.networks import Network, default_network
from marketplace.catalogue.samples import Sample, creator_of_samples, seed

# The last account of anvil's public mnemonic: everybody can spend what it earns, so it serves local chains only.
LOCAL_CREATOR = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"


class Command(BaseCommand):
    help = "Register and publish the sample agents, and bring them up to date. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path, required=True, help="what deploy.agents.build --json FILE wrote")
        parser.add_argument(
            "--creator",
            default="",
            help="address that is paid for them (default: $SEED_CREATOR_ADDRESS; on a local chain a test account)",
        )
        parser.add_argument("--force", action="store_true", help="also on a network that is not local")

    def handle(self, *args: Any, **options: Any) -> None:
        network = default_network()
        if not network.is_local and not options["force"]:
            raise CommandError(
                f"{network.name} is not a local chain: the samples would be sold for real money. "
                "Give --force and --creator if you mean it."
            )
        samples = _samples(options["file"])
        address = _creator(network, options["creator"] or os.environ.get("SEED_CREATOR_ADDRESS", ""))
        try:
            for seeded in seed(creator_of_samples(address), samples, network):
                self.stdout.write(f"{seeded.agent.slug:<24} {', '.join(seeded.done) or 'up to date'}")
        except DomainError as exc:
            places = "".join(f"\n  {place}: {sentence}" for place, sentence in exc.fields.items())
            raise CommandError(f"A sample was refused: {exc.message}{places}") from None


def _samples(path: Path) -> list[Sample]:
    try:
        documents = json.loads(path.read_text())
        if not isinstance(documents, list):
            raise ValueError("expected a list")
        return [Sample.from_json(document) for document in documents]
    except (OSError, ValueError) as exc:
        raise CommandError(
            f"{path} cannot be read as built agents ({exc}). Make it with: python3 -m deploy.agents.build --json {path}"
        ) from None


def _creator(network: Network, given: str) -> str:
    if not given:
        if not network.is_local:
            raise CommandError("Say with --creator which address is paid for the samples.")
        return LOCAL_CREATOR
    try:
        address = parse_address(given)
    except ValueError as exc:
        raise CommandError(f"--creator: {exc}") from None
    if address == LOCAL_CREATOR and not network.is_local:
        raise CommandError("Everybody has the key of this address; name one of your own.")
    return address
