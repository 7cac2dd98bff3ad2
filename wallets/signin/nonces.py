"""Nonces: bound to one browser (or account), valid for minutes, used once."""

import json
import secrets
from dataclasses import asdict, dataclass
from hashlib import sha256

import redis
from django_redis import get_redis_connection

from wallets.errors import SignInUnavailableError


@dataclass(frozen=True, slots=True)
class Grant:
    """What a nonce was issued for."""

    purpose: str
    address: str
    chain_id: int


def issue(grant: Grant, binder: str, seconds: int) -> str:
    """A fresh nonce of 128 random bits that only the holder of `binder` can use, for `seconds`.

    Raises SignInUnavailableError.
    """
    nonce = secrets.token_hex(16)
    try:
        get_redis_connection("default").set(_key(nonce, binder), json.dumps(asdict(grant)), ex=seconds)
    except redis.RedisError as exc:
        raise SignInUnavailableError from exc
    return nonce


def consume(nonce: str, binder: str) -> Grant | None:
    """What the nonce was issued for, exactly once: GETDEL lets one of any number of simultaneous callers have it.

    Raises SignInUnavailableError.
    """
    try:
        stored = get_redis_connection("default").getdel(_key(nonce, binder))
    except redis.RedisError as exc:
        raise SignInUnavailableError from exc
    return Grant(**json.loads(stored)) if stored else None


def _key(nonce: str, binder: str) -> str:
    # The binder is part of the key: another browser's attempt neither sees the nonce nor uses it up.
    return f"agentnexus:siwe:{sha256(binder.encode()).hexdigest()}:{sha256(nonce.encode()).hexdigest()}"
