"""Signatures of an account's owner over an operation: what they look like, and whether one is the owner's.

They are judged here before anything is sent, so that a wrong one costs nothing and the person hears of it at once.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from wallets.smart_accounts.errors import SignatureInvalidError
from wallets.smart_accounts.keys import OwnerKey
from wallets.smart_accounts.models import SmartAccount

# Of the right length and form, so that gas is estimated rightly; nobody's.
DUMMY_WALLET_SIGNATURE = bytes.fromhex("ff" * 15 + "f" + "0" * 32 + "7" + "a" * 62 + "aa1c")
_PRESENT, _VERIFIED = 0x01, 0x04
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
MAX_FIELD = 4096


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator answers to `navigator.credentials.get`."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Assertion":
        """From the members `authenticatorData`, `clientDataJSON` and `signature` in base64url.

        Raises SignatureInvalidError.
        """
        names = ("authenticatorData", "clientDataJSON", "signature")
        return cls(*(_decoded(data.get(name), name) for name in names))


def dummy_signature(account: SmartAccount) -> bytes:
    """A signature for estimates."""
    if account.owner_kind == SmartAccount.Owner.WALLET:
        return DUMMY_WALLET_SIGNATURE
    client_data = _client_data("A" * 43, "https://" + "x" * 60)
    return _encoded(_P256_ORDER // 2, _P256_ORDER // 2, b"\xff" * 32 + b"\x05" + b"\xff" * 4, client_data)


def by_wallet(account: SmartAccount, user_op_hash: bytes, signature: str) -> bytes:
    """The wallet's 65 bytes, when they are the owner's over the hash as a message. Raises SignatureInvalidError."""
    try:
        raw = bytes.fromhex(signature.removeprefix("0x"))
        # Hardware wallets write 0 and 1; the contract takes 27 and 28.
        if len(raw) == 65 and raw[64] in (0, 1):
            raw = raw[:64] + bytes([raw[64] + 27])
        if len(raw) != 65 or raw[64] not in (27, 28):
            raise ValueError("not 65 bytes")
        signer = Account.recover_message(encode_defunct(user_op_hash), signature=raw)
    except (ValueError, BadSignature, ValidationError) as exc:
        raise SignatureInvalidError("This is not a wallet's signature. Sign the operation again.") from exc
    if signer != account.owner_address:
        raise SignatureInvalidError(
            f"Another account signed ({signer}); this smart account's owner is {account.owner_address}. "
            "Switch the wallet to it and sign again."
        )
    return raw


def by_passkey(signers: Sequence[OwnerKey], user_op_hash: bytes, assertion: Assertion) -> bytes:
    """The assertion as the account's contract takes it, when one of these passkeys made it over the hash.

    Raises SignatureInvalidError.
    """
    data, client_data = assertion.authenticator_data, assertion.client_data
    try:
        client = json.loads(client_data)
        text = client_data.decode()
        challenge = _decoded(client.get("challenge"), "challenge")
        r, s = utils.decode_dss_signature(assertion.signature)
    except (ValueError, AttributeError) as exc:
        raise SignatureInvalidError("This is not a passkey's signature. Sign the operation again.") from exc
    if client.get("type") != "webauthn.get" or challenge != user_op_hash:
        raise SignatureInvalidError("The passkey signed something else. Sign the operation again.")
    if len(data) < 37 or data[32] & (_PRESENT | _VERIFIED) != _PRESENT | _VERIFIED:
        raise SignatureInvalidError("The passkey did not verify you. Use your PIN, face or finger when it asks.")
    digest = Hash(SHA256())
    digest.update(client_data)
    signed = data + digest.finalize()
    if not any(_made(key, assertion.signature, signed) for key in signers):
        raise SignatureInvalidError(
            "Another passkey signed. Use one that owns this account; to remove a passkey, the one that stays."
        )
    # Either s or its negative is valid; the contract takes the lower one only.
    return _encoded(r, min(s, _P256_ORDER - s), data, text)


def _made(key: OwnerKey, signature: bytes, data: bytes) -> bool:
    try:
        key.public_key().verify(signature, data, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _encoded(r: int, s: int, authenticator_data: bytes, client_data: str) -> bytes:
    """OpenZeppelin's `WebAuthn.WebAuthnAuth`, ABI-encoded without a tuple's offset."""
    places = (client_data.index('"challenge":"'), client_data.index('"type":"'))
    return encode(
        ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
        [r.to_bytes(32), s.to_bytes(32), *places, authenticator_data, client_data],
    )


def _client_data(challenge: str, origin: str) -> str:
    shown = {"type": "webauthn.get", "challenge": challenge, "origin": origin, "crossOrigin": False}
    return json.dumps(shown, separators=(",", ":"))


def _decoded(value: object, name: str) -> bytes:
    """base64url, padded or not. Raises SignatureInvalidError."""
    if not isinstance(value, str) or len(value) > MAX_FIELD:
        raise SignatureInvalidError(f"The passkey's {name} is missing. Sign the operation again.")
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise SignatureInvalidError(f"The passkey's {name} is not base64url. Sign the operation again.") from exc
