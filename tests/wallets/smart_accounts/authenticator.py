"""A passkey in software: makes what a browser answers to WebAuthn, with real P-256 signatures."""

import json
import secrets
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

ORIGIN = "http://localhost:8000"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey."""

    def __init__(self, rp_id: str = "localhost", origin: str = ORIGIN) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(16)
        self.rp_id_hash = sha256(rp_id.encode()).digest()
        self.origin = origin

    def register(self, options: dict[str, Any], flags: int = PRESENT | VERIFIED) -> dict[str, Any]:
        """What `navigator.credentials.create` gives for the options of the API."""
        public_key = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        attested = AttestedCredentialData.create(Aaguid(bytes(16)), self.credential_id, public_key)
        data = AuthenticatorData.create(self.rp_id_hash, AuthenticatorData.FLAG(flags | ATTESTED), 0, attested)
        client_data = self._client_data("webauthn.create", websafe_decode(options["publicKey"]["challenge"]))
        name = websafe_encode(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {
                "clientDataJSON": websafe_encode(client_data),
                "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
                "transports": ["internal"],
            },
            "clientExtensionResults": {},
        }

    def sign(self, challenge: bytes, flags: int = PRESENT | VERIFIED) -> dict[str, str]:
        """What `navigator.credentials.get` gives."""
        data = bytes(AuthenticatorData.create(self.rp_id_hash, AuthenticatorData.FLAG(flags), 7))
        client_data = self._client_data("webauthn.get", challenge)
        signature = self.key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return {
            "authenticatorData": websafe_encode(data),
            "clientDataJSON": websafe_encode(client_data),
            "signature": websafe_encode(signature),
        }

    def _client_data(self, kind: str, challenge: bytes) -> bytes:
        shown = {"type": kind, "challenge": websafe_encode(challenge), "origin": self.origin, "crossOrigin": False}
        return json.dumps(shown, separators=(",", ":")).encode()
