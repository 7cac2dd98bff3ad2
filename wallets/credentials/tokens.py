"""Tokens for programs: short-lived access tokens and a refresh token that changes with every use.

JWT (RFC 7519), HS256 only; iss, aud, exp, jti and type are checked by simplejwt's backend, the family by us.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework_simplejwt.exceptions import ExpiredTokenError
from rest_framework_simplejwt.exceptions import TokenError as JwtError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, Token
from uuid_utils.compat import uuid7

from wallets.errors import TokenError
from wallets.models import TokenFamily, User
from wallets.signin import presence

log = structlog.get_logger(__name__)

FAMILY_CLAIM = "family"
MAX_TOKEN_LENGTH = 2048
# Users see their past sign-ins for this long.
KEPT_AFTER_END = timedelta(days=30)


class RefreshToken(Token):
    """Exchanged once for a new pair."""

    token_type = "refresh"  # noqa: S105  the name of a kind of token
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


@dataclass(frozen=True, slots=True)
class Pair:
    """What a program receives: `access` for requests, `refresh` for the next pair."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A valid access token's user, its family, and when it expires."""

    user: User
    family: TokenFamily
    expires_at: datetime


def issue(user: User, *, address: str | None = None, ip: str | None = None, user_agent: str = "") -> Pair:
    """Begin a family and return its first pair."""
    refresh = RefreshToken()
    now = timezone.now()
    family = TokenFamily.objects.create(
        id=uuid7(),
        user=user,
        refresh_id=refresh["jti"],
        address=address,
        last_used_at=now,
        expires_at=now + settings.TOKEN_FAMILY_LIFETIME,
        ip=ip,
        user_agent=user_agent[:200],
    )
    return _pair(refresh, family.pk, user.pk)


def rotate(raw: str) -> Pair:
    """Exchange a refresh token for a new pair.

    Raises TokenError: `token_invalid`, `token_expired`, `token_revoked`, `account_suspended`, or `token_reused`, which
    also ends the family.
    """
    token = _decoded(RefreshToken, raw)
    family = _family(token)
    _refuse_unless_alive(family)
    fresh = RefreshToken()
    # Compare and set: of two uses of one token, whether at once or later, exactly one gets the new pair.
    won = TokenFamily.objects.filter(pk=family.pk, refresh_id=token["jti"], revoked_at=None).update(
        refresh_id=fresh["jti"], last_used_at=timezone.now()
    )
    if not won:
        revoke(family)
        log.warning("refresh_token_reused", user_id=str(family.user_id), family=str(family.pk))
        raise TokenError.of("token_reused")
    return _pair(fresh, family.pk, family.user_id)


def authenticate(raw: str) -> Authenticated:
    """The user of an access token whose family lives and whose account may act.

    Raises TokenError `token_invalid`, `token_expired`, `token_revoked` or `account_suspended`.
    """
    token = _decoded(AccessToken, raw)
    family = _family(token)
    _refuse_unless_alive(family)
    return Authenticated(family.user, family, datetime.fromtimestamp(token["exp"], UTC))


def revoke(family: TokenFamily) -> None:
    """End a family: its tokens and the sockets opened with them."""
    if TokenFamily.objects.filter(pk=family.pk, revoked_at=None).update(revoked_at=timezone.now()):
        presence.announce_end(family.user, presence.family_name(family.pk))


def alive(user: User) -> QuerySet[TokenFamily]:
    """The user's families that were neither revoked nor ran out, newest first."""
    now = timezone.now()
    return user.token_families.filter(
        revoked_at=None, expires_at__gt=now, last_used_at__gt=now - api_settings.REFRESH_TOKEN_LIFETIME
    ).order_by("-created_at")


def clear_expired() -> int:
    """Delete families that ended more than KEPT_AFTER_END ago; returns how many."""
    ended = timezone.now() - KEPT_AFTER_END
    # The refresh token lives shorter than its family: one that was not exchanged in time is over as well.
    unused = ended - api_settings.REFRESH_TOKEN_LIFETIME
    over = Q(expires_at__lt=ended) | Q(revoked_at__lt=ended) | Q(last_used_at__lt=unused)
    return TokenFamily.objects.filter(over).delete()[0]


def _pair(refresh: RefreshToken, family_id: UUID, user_id: UUID) -> Pair:
    access = AccessToken()
    for token in (refresh, access):
        token["sub"] = str(user_id)
        token[FAMILY_CLAIM] = str(family_id)
    return Pair(str(access), str(refresh))


def _decoded(kind: type[Token], raw: str) -> Token:
    if len(raw) > MAX_TOKEN_LENGTH:
        raise TokenError.of("token_invalid")
    try:
        # simplejwt annotates its parameter as Token but takes the encoded text.
        return kind(raw)  # type: ignore[arg-type]
    except ExpiredTokenError as exc:
        raise TokenError.of("token_expired") from exc
    except JwtError as exc:
        raise TokenError.of("token_invalid") from exc


def _family(token: Token) -> TokenFamily:
    try:
        family_id, user_id = UUID(token.payload[FAMILY_CLAIM]), UUID(token.payload["sub"])
    except (KeyError, ValueError, TypeError, AttributeError) as exc:
        raise TokenError.of("token_invalid") from exc
    family = TokenFamily.objects.select_related("user").filter(pk=family_id, user_id=user_id).first()
    if family is None:
        raise TokenError.of("token_revoked")
    return family


def _refuse_unless_alive(family: TokenFamily) -> None:
    if not family.user.may_act:
        raise TokenError.of("account_suspended")
    if family.revoked_at is not None or family.expires_at <= timezone.now():
        raise TokenError.of("token_revoked")
