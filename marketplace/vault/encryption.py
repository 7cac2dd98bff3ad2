"""Encryption at rest (Fernet: AES-128-CBC with HMAC-SHA256). The first key encrypts, every key decrypts."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from marketplace.errors import VaultError


def seal(text: str) -> bytes:
    """The text, encrypted."""
    return _keys().encrypt(text.encode())


def unseal(token: bytes | memoryview) -> str:
    """The text again. Raises VaultError when none of the keys is the right one."""
    try:
        return _keys().decrypt(bytes(token)).decode()
    except InvalidToken as exc:
        raise VaultError("A stored secret cannot be decrypted with this installation's VAULT_KEYS.") from exc


def reseal(token: bytes | memoryview) -> bytes:
    """The same text, encrypted with the first key. Raises VaultError."""
    try:
        return _keys().rotate(bytes(token))
    except InvalidToken as exc:
        raise VaultError("A stored secret cannot be decrypted with this installation's VAULT_KEYS.") from exc


def _keys() -> MultiFernet:
    """Those of VAULT_KEYS; without any, one derived from SECRET_KEY."""
    given: list[str] = settings.VAULT_KEYS
    derived = base64.urlsafe_b64encode(hashlib.sha256(b"agentnexus vault\0" + settings.SECRET_KEY.encode()).digest())
    return MultiFernet([Fernet(key) for key in given or [derived.decode()]])
