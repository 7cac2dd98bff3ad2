"""Passkeys that own a smart account: asked for in the browser, checked here.

Source: Web Authentication Level 2 (https://www.w3.org/TR/webauthn-2/), by the fido2 package. The key is used for
signing operations only; signing in with passkeys is another credential.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from fido2.cose import ES256
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from wallets.models import User
from wallets.smart_accounts.errors import PasskeyError

CHALLENGE_SECONDS = 300
_AGAIN = "Start again and follow your browser."


@dataclass(frozen=True, slots=True)
class Passkey:
    """A new P-256 key of an authenticator."""

    credential_id: bytes
    x: str
    y: str
    transports: list[str]


def written(raw: bytes) -> str:
    """Bytes as WebAuthn's JSON has them: base64url without padding."""
    return websafe_encode(raw)


def registration_options(user: User, others: Sequence[Passkey] = ()) -> dict[str, Any]:
    """What the browser passes to `navigator.credentials.create`, bytes in base64url. Valid once, for five minutes.

    A device that has one of `others` makes none.
    """
    server = _server()
    options, state = server.register_begin(
        # A new handle every time: an authenticator overwrites the passkey it has for the same one, and with it would go
        # the account it owns.
        PublicKeyCredentialUserEntity(
            id=secrets.token_bytes(32), name=f"{user.shown_name} (smart account)", display_name=user.shown_name
        ),
        [
            PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=other.credential_id)
            for other in others
        ],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    cache.set(_key(user), state, CHALLENGE_SECONDS)
    return dict(options)


def registered(user: User, credential: dict[str, Any]) -> Passkey:
    """The key that the browser's answer proves. Raises PasskeyError."""
    state = cache.get(_key(user))
    # Deleted before it is used: of two answers to one challenge only one can find it.
    if state is None or not cache.delete(_key(user)):
        raise PasskeyError(f"The passkey took too long, or was used already. {_AGAIN}")
    try:
        data = _server().register_complete(state, credential).credential_data
    except (ValueError, KeyError, TypeError) as exc:
        raise PasskeyError(f"The passkey could not be checked. {_AGAIN}") from exc
    if data is None or not isinstance(data.public_key, ES256):
        raise PasskeyError("This authenticator has no P-256 keys. Use another one.")
    transports = (credential.get("response") or {}).get("transports") or []
    return Passkey(
        credential_id=data.credential_id,
        x="0x" + bytes(data.public_key[-2]).hex(),
        y="0x" + bytes(data.public_key[-3]).hex(),
        transports=[str(name)[:20] for name in transports[:8]] if isinstance(transports, list) else [],
    )


def _server() -> Fido2Server:
    rp_id = settings.WEBAUTHN_RP_ID
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=rp_id, name=settings.SITE_NAME),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=lambda origin: origin in settings.SIWE_SITES,
    )
    server.allowed_algorithms = [each for each in server.allowed_algorithms if each.alg == ES256.ALGORITHM]
    return server


def _key(user: User) -> str:
    return f"smart-account-passkey:{user.pk}"
