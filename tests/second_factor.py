"""Second factors in tests: an authenticator app's secret and the code it shows now, and a passkey."""

import secrets
import time
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from wallets.models import User

PERIOD = 30  # seconds that a code is shown


def set_up(user: User) -> str:
    """Give the user an authenticator app; returns its secret."""
    secret: str = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def code(secret: str) -> str:
    """What the app shows now. The site takes the neighbouring codes as well, so no test runs out of time."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD)))


def passkey() -> dict[str, Any]:
    """What a browser answers when it has made a passkey for localhost, as allauth keeps it."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    public = ES256.from_cryptography_key(key)  # type: ignore[no-untyped-call]
    name = secrets.token_bytes(16)
    made = AttestedCredentialData.create(b"\0" * 16, name, public)
    seen = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    authenticator = AuthenticatorData.create(sha256(b"localhost"), seen, 0, made)
    client = CollectedClientData.create("webauthn.create", secrets.token_bytes(32), "http://localhost")
    return {
        "id": websafe_encode(name),
        "rawId": websafe_encode(name),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(client),
            "attestationObject": websafe_encode(AttestationObject.create("none", authenticator, {})),
        },
        "clientExtensionResults": {},
    }
