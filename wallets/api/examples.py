"""The people and things that the API's examples are about."""

ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
SMART_ADDRESS = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc"
NONCE = "c0ffee254729296a45a3885639ac7e10"
SIGNATURE = "0x" + "5f" * 64 + "1b"
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…"  # noqa: S105  an example
TIME = "2026-01-02T03:04:05Z"
MESSAGE = (
    "agents.example wants you to sign in with your Ethereum account:\n"
    f"{ADDRESS}\n\n"
    "Sign in to AgentNexus. This costs nothing and moves no funds.\n\n"
    "URI: https://agents.example\nVersion: 1\nChain ID: 8453\n"
    f"Nonce: {NONCE}\nIssued At: 2026-01-02T03:04:05.000Z\nExpiration Time: 2026-01-02T03:09:05.000Z"
)
WALLET = {"address": ADDRESS, "is_primary": True, "created_at": TIME, "last_used_at": TIME}
USER = {
    "id": "019b7c1e-6f1a-7c3e-9d53-0d7f5f2b8a11",
    "display_name": "Ann",
    "shown_name": "Ann",
    "email": None,
    "primary_address": ADDRESS,
    "wallets": [WALLET],
    "is_staff": False,
    "date_joined": TIME,
}
API_KEY = {
    "id": "019b7c1e-7a52-7b0d-8c55-2f0c3f1d9e77",
    "name": "nightly report",
    "prefix": "3f9c1b7a20de",
    "scopes": ["agents:read"],
    "created_at": TIME,
    "last_used_at": None,
    "expires_at": None,
    "revoked_at": None,
    "rotated": False,
}
SMART_ACCOUNT = {
    "id": "019b7c1e-8b3f-7d21-a6c4-5e8d1f0b2c33",
    "network": "base",
    "chain_id": 8453,
    "address": SMART_ADDRESS,
    "owner": "wallet",
    "owner_address": ADDRESS,
    "passkeys": [],
    "is_deployed": False,
    "address_url": f"https://basescan.org/address/{SMART_ADDRESS}",
    "created_at": TIME,
}
CALL = {"to": ADDRESS, "data": "0x", "value": "0x38d7ea4c68000"}
