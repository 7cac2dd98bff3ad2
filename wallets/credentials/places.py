"""Everywhere a user is signed in: browsers with a session and programs with tokens, in one list."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wallets.credentials import tokens
from wallets.models import TokenFamily, User
from wallets.signin import sessions


@dataclass(frozen=True, slots=True)
class Place:
    """A browser or a program. `address` is the wallet that signed, None after an e-mail or passkey sign-in."""

    id: UUID
    kind: str
    address: str | None
    created_at: datetime
    last_used_at: datetime | None
    ip: str | None
    user_agent: str
    current: bool


def of(user: User, *, session_key: str | None, family: TokenFamily | None = None) -> list[Place]:
    """The places, newest first; the one with this session key, or this family, is the current one."""
    browsers = [
        Place(
            found.pk, "browser", found.address, found.created_at, None, found.ip, found.user_agent,
            session_key is not None and found.session_key == session_key,
        )
        for found in sessions.alive(user)
    ]  # fmt: skip
    programs = [
        Place(
            found.pk, "program", found.address, found.created_at, found.last_used_at, found.ip, found.user_agent,
            found == family,
        )
        for found in tokens.alive(user)
    ]  # fmt: skip
    return sorted([*browsers, *programs], key=lambda place: place.created_at, reverse=True)


def end(user: User, place_id: UUID) -> None:
    """Sign out at one place; its requests are refused and its sockets closed at once. Raises SessionNotFoundError."""
    family = tokens.alive(user).filter(pk=place_id).first()
    if family is not None:
        tokens.revoke(family)
    else:
        sessions.revoke(user, place_id)


def end_others(user: User, *, session_key: str | None, family: TokenFamily | None = None) -> None:
    """Sign out everywhere but at this place."""
    sessions.revoke_all(user, keep=session_key)
    for found in tokens.alive(user):
        if found != family:
            tokens.revoke(found)
