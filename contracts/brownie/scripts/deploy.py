"""The contracts on a development chain, for the console: `brownie console`, then `run("deploy")`."""

import sys
from pathlib import Path

from brownie import AgentNexusEntitlements, AgentNexusEscrow, TestUSDC, accounts, network

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from quotes import Market


def main() -> Market:
    if network.show_active() != "development":
        raise SystemExit("This deploys with unlocked accounts: use it on the development network only.")
    market = Market.deploy(AgentNexusEscrow, AgentNexusEntitlements, TestUSDC, accounts)
    print(f"escrow {market.escrow.address}\nentitlements {market.entitlements.address}\nusdc {market.usdc.address}")
    return market
