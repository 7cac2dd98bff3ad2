"""Networks, keys and the terms of payments."""

from pathlib import Path
from typing import Any

from config.settings.environment import env

# RPC endpoints, comma-separated, per network; a network without one is not offered.
CHAIN_RPC_URL: str = env.str("CHAIN_RPC_URL", default="")
DEFAULT_NETWORK: str = env.str("DEFAULT_NETWORK", default="local")
NETWORKS: dict[str, dict[str, Any]] = {
    "base": {
        "name": "Base",
        "chain_id": 8453,
        "rpc_urls": env.list("BASE_RPC_URLS", default=[]),
        "confirmations": env.int("BASE_CONFIRMATIONS", default=5),
        "block_time": 2,
        "explorer_url": "https://basescan.org",
        "usdc": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
        "bundler_urls": env.list("BASE_BUNDLER_URLS", default=[]),
        "paymaster_urls": env.list("BASE_PAYMASTER_URLS", default=[]),
    },
    "base-sepolia": {
        "name": "Base Sepolia",
        "chain_id": 84532,
        "rpc_urls": env.list("BASE_SEPOLIA_RPC_URLS", default=[]),
        "confirmations": env.int("BASE_SEPOLIA_CONFIRMATIONS", default=3),
        "block_time": 2,
        "explorer_url": "https://sepolia.basescan.org",
        "usdc": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
        "bundler_urls": env.list("BASE_SEPOLIA_BUNDLER_URLS", default=[]),
        "paymaster_urls": env.list("BASE_SEPOLIA_PAYMASTER_URLS", default=[]),
    },
}
# Private keys, 0x-prefixed hex. Each may instead be read from a file named by <NAME>_FILE.
KEYS: dict[str, str] = {}
for _name in ("DEPLOYER_KEY", "QUOTE_SIGNER_KEY", "GRANT_KEY", "ARBITER_KEY", "RELAYER_KEY", "SPONSOR_KEY"):
    _path = env.str(f"{_name}_FILE", default="")
    KEYS[_name] = Path(_path).read_text().strip() if _path else env.str(_name, default="")
# Below this much ether (in wei) a sending key gets no new work, and health says so.
LOW_BALANCE_WEI: int = env.int("LOW_BALANCE_WEI", default=5 * 10**15)
# From which amount on the platform pays the gas of a payout by itself, by the token's symbol; 0 for everything.
LEAST_AUTOMATIC_PAYOUT: dict[str, str] = env.dict("LEAST_AUTOMATIC_PAYOUT", default={"ETH": "0.00001", "USDC": "0.05"})
FEE_RECIPIENT: str = env.str("FEE_RECIPIENT", default="")
PLATFORM_FEE_BPS: int = env.int("PLATFORM_FEE_BPS", default=250)
DISPUTE_WINDOW_SECONDS: int = env.int("DISPUTE_WINDOW_SECONDS", default=3 * 24 * 3600)
HOLD_PERIOD_SECONDS: int = env.int("HOLD_PERIOD_SECONDS", default=30 * 24 * 3600)
QUOTE_SECONDS: int = env.int("QUOTE_SECONDS", default=900)
# The burner wallet in the connect dialog; only the local chain can serve it.
DEMO_WALLET = False
