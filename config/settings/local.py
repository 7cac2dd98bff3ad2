"""Development: everything has a default, the chain is a local anvil, and a demo wallet can be offered."""

from config.settings.base import *  # noqa: F403  settings are layered by star import
from config.settings.base import MIDDLEWARE
from config.settings.chain import CHAIN_RPC_URL, KEYS, NETWORKS
from config.settings.environment import BASE_DIR, env
from config.settings.site import SITE_URL

DEBUG = env.bool("DEBUG", default=True)
MIDDLEWARE = [*MIDDLEWARE, "config.middleware.NotFoundMiddleware"]
# Known to everybody, so production refuses to start with it.
SECRET_KEY = env.str("SECRET_KEY", default="local-development-only-not-a-secret-0123456789")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
LOG_FORMAT = env.str("LOG_FORMAT", default="console")
LOGGING = {"level": env.str("LOG_LEVEL", default="INFO"), "format": LOG_FORMAT}

NETWORKS["local"] = {
    "name": "Local chain",
    "chain_id": 31337,
    "rpc_urls": [CHAIN_RPC_URL or "http://127.0.0.1:8545"],
    "confirmations": env.int("LOCAL_CONFIRMATIONS", default=2),
    "block_time": env.int("LOCAL_BLOCK_TIME", default=1),
    "explorer_url": "",
    "usdc": "",
    "bundler_urls": env.list("BUNDLER_URLS", default=[]),
    "paymaster_urls": env.list("PAYMASTER_URLS", default=[]),
}
# Anvil derives its accounts from a public mnemonic; they hold money on the local chain only.
for _name, _key in {
    "DEPLOYER_KEY": "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "QUOTE_SIGNER_KEY": "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "GRANT_KEY": "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "ARBITER_KEY": "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "SPONSOR_KEY": "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "RELAYER_KEY": "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
}.items():
    KEYS[_name] = KEYS[_name] or _key
# No mail leaves this machine: each message becomes a file, and the pages say so.
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = env.str("EMAIL_FILE_PATH", default=str(BASE_DIR / ".data" / "mail"))
# Browsers take http://localhost for safe; the library would ask for https.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
DEMO_WALLET = env.bool("DEMO_WALLET", default=True)
EXECUTION_PRIVATE_REGISTRIES = env.list("EXECUTION_PRIVATE_REGISTRIES", default=["localhost", "127.0.0.1"])
METRICS_NETWORKS = env.list("METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"])
# The site answers under both names of this machine.
_sites = [SITE_URL, SITE_URL.replace("//localhost", "//127.0.0.1"), SITE_URL.replace("//127.0.0.1", "//localhost")]
SIWE_SITES = env.list("SIWE_SITES", default=_sites)
WEBSOCKET_ORIGINS = env.list("WEBSOCKET_ORIGINS", default=_sites)
