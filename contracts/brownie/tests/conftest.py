import socket

import pytest
from brownie._config import CONFIG
from quotes import Market

# Brownie connects after this file is read, and would take any node that already listens on the usual port for its own.
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    CONFIG.networks["development"]["cmd_settings"]["port"] = probe.getsockname()[1]


@pytest.fixture(scope="module")
def market(AgentNexusEscrow, AgentNexusEntitlements, TestUSDC, accounts):
    """The contracts just deployed, with ether and USDC supported; `people` have both and have approved the escrow."""
    return Market.deploy(AgentNexusEscrow, AgentNexusEntitlements, TestUSDC, accounts)


@pytest.fixture(autouse=True)
def isolated(fn_isolation):
    """Every test starts from the same state."""
