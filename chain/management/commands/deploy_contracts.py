"""`manage.py deploy_contracts [NETWORK]`: deploy, verify and wire the contracts; safe to run again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from web3 import Web3

from chain.deployments import Deployer, Step
from chain.deployments.plan import plan
from chain.errors import ChainError
from chain.networks import default_network, get_network


class Command(BaseCommand):
    help = (
        "Deploys the contracts to a network, verifies their code and wires them. What is done already is left alone, "
        "so the command can be run again after any interruption. On the local chain a test USDC is deployed too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", nargs="?", default="", help="a network of the settings (default: the default)")
        parser.add_argument("--owner", default="", help="address (a multisig) to offer the ownership to at the end")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done; send nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = options["owner"]
        if owner and not Web3.is_checksum_address(owner):
            raise CommandError("--owner is not a checksummed address. Copy it again.")
        try:
            network = get_network(options["network"]) if options["network"] else default_network()
            if options["dry_run"]:
                for line in plan(network):
                    self.stdout.write(line)
                return
            self.stdout.write(f"{network.name} (chain id {network.chain_id})")
            Deployer(network, self._show, owner=owner).run()
        except ChainError as exc:
            raise CommandError(exc.message) from exc

    def _show(self, step: Step) -> None:
        facts = [
            step.address,
            f"gas {step.gas:,}" if step.gas is not None else "",
            f"block {step.block}" if step.block is not None else "",
            step.transaction_hash,
        ]
        self.stdout.write("  ".join([f"  {step.what}", *[fact for fact in facts if fact]]))
