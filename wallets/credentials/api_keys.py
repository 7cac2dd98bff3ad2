"""API keys: made, checked, rotated with an overlap, revoked."""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from wallets.credentials.models import Scope
from wallets.errors import ApiKeyError, ApiKeyLimitError, ApiKeyNotFoundError
from wallets.models import ApiKey, User

# `anx_<prefix>_<secret>`: recognisable, also for scanners that look for leaked keys.
MARK = "anx_"
MAX_KEYS = 20
ROTATION_OVERLAP = timedelta(hours=24)
# `last_used_at` is written at most this often, so that a busy key costs no write per request.
USE_NOTED_EVERY = timedelta(minutes=1)
# How long the list still shows a key that was revoked or ran out.
SHOWN_AFTER_END = timedelta(days=7)
_MAX_LENGTH = 100


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with the only copy of its text."""

    key: ApiKey
    text: str


def create(user: User, name: str, scopes: Iterable[str], expires_at: datetime | None = None) -> NewKey:
    """Make a key. Raises ApiKeyLimitError when the user has MAX_KEYS already."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two at once could pass the limit together
        if len(_alive(user)) >= MAX_KEYS:
            raise ApiKeyLimitError(f"You have {MAX_KEYS} API keys already. Revoke one you no longer need.")
        return _make(user, name, scopes, expires_at)


def authenticate(text: str) -> ApiKey:
    """The key whose text this is, with its user.

    Raises ApiKeyError `api_key_invalid`, `api_key_expired`, `api_key_revoked` or `account_suspended`.
    """
    prefix, separator, secret = text.removeprefix(MARK).partition("_")
    if len(text) > _MAX_LENGTH or not text.startswith(MARK) or not separator:
        raise ApiKeyError.of("api_key_invalid")
    key = ApiKey.objects.select_related("user").filter(prefix=prefix).first()
    # The hash is compared in any case and in constant time: neither answer tells which prefixes exist.
    if not hmac.compare_digest(key.secret_hash if key else "0" * 64, _hashed(secret)) or key is None:
        raise ApiKeyError.of("api_key_invalid")
    now = timezone.now()
    if not key.user.may_act:
        raise ApiKeyError.of("account_suspended")
    if key.revoked_at is not None:
        raise ApiKeyError.of("api_key_revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise ApiKeyError.of("api_key_expired")
    if key.last_used_at is None or key.last_used_at < now - USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


@transaction.atomic
def rotate(user: User, key_id: UUID) -> NewKey:
    """Make a successor with the same name, scopes and expiry; the old key still works for ROTATION_OVERLAP.

    Raises ApiKeyNotFoundError, or ApiKeyError `api_key_rotated`, `api_key_revoked`, `api_key_expired`.
    """
    key = ApiKey.objects.select_for_update().filter(user=user, pk=key_id).first()
    if key is None:
        raise ApiKeyNotFoundError
    now = timezone.now()
    if key.successor_id is not None:
        raise ApiKeyError.of("api_key_rotated", 409)
    if key.revoked_at is not None:
        raise ApiKeyError.of("api_key_revoked", 409)
    if key.expires_at is not None and key.expires_at <= now:
        raise ApiKeyError.of("api_key_expired", 409)
    made = _make(user, key.name, key.scopes, key.expires_at)
    overlap = now + ROTATION_OVERLAP
    key.successor = made.key
    key.expires_at = min(key.expires_at, overlap) if key.expires_at else overlap
    key.save(update_fields=["successor", "expires_at"])
    return made


def revoke(user: User, key_id: UUID) -> None:
    """End a key at once; revoking it again changes nothing. Raises ApiKeyNotFoundError."""
    if not ApiKey.objects.filter(user=user, pk=key_id).exists():
        raise ApiKeyNotFoundError
    ApiKey.objects.filter(user=user, pk=key_id, revoked_at=None).update(revoked_at=timezone.now())


def listed(user: User) -> list[ApiKey]:
    """The user's keys that still work or ended within the last SHOWN_AFTER_END, newest first."""
    ended = timezone.now() - SHOWN_AFTER_END
    keys = user.api_keys.order_by("-pk")
    return [key for key in keys if (key.revoked_at or key.expires_at or ended) >= ended]


def _alive(user: User) -> list[ApiKey]:
    now = timezone.now()
    keys = user.api_keys.filter(revoked_at=None, successor=None)
    return [key for key in keys if key.expires_at is None or key.expires_at > now]


def _make(user: User, name: str, scopes: Iterable[str], expires_at: datetime | None) -> NewKey:
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        secret_hash=_hashed(secret),
        scopes=sorted({Scope(scope).value for scope in scopes}),
        expires_at=expires_at,
    )
    return NewKey(key, f"{MARK}{prefix}_{secret}")


def _hashed(secret: str) -> str:
    # 256 random bits cannot be guessed, so a fast hash is enough; passwords would need a slow one.
    return sha256(secret.encode()).hexdigest()
