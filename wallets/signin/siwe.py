"""Sign-in with Ethereum (EIP-4361): challenge, verification, and the account behind an address."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from chain.networks import all_networks, default_network
from wallets.errors import AccountSuspendedError, SignInError
from wallets.models import LinkedWallet, User
from wallets.signin import nonces
from wallets.signin.addresses import checksummed
from wallets.signin.message import SignInMessage, Site, compose, parse
from wallets.signin.signatures import MAX_SIGNATURE_LENGTH, signed_by_contract, signed_by_key

log = structlog.get_logger(__name__)

# How far a client's clock may differ from ours.
CLOCK_TOLERANCE = timedelta(seconds=60)


class Purpose(StrEnum):
    """What a signature may be used for; each has a statement of its own, so that one cannot serve for the other."""

    SIGN_IN = "sign_in"
    LINK = "link"
    CONFIRM = "confirm"

    @property
    def statement(self) -> str:
        match self:
            case Purpose.SIGN_IN:
                return str(settings.SIWE_STATEMENT)
            case Purpose.LINK:
                return str(settings.SIWE_LINK_STATEMENT)
            case Purpose.CONFIRM:
                return str(settings.SIWE_CONFIRM_STATEMENT)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A message ready to be signed, and until when it is accepted."""

    nonce: str
    message: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class VerifiedWallet:
    """Somebody holds the keys of this address, proven just now on this chain."""

    address: str
    chain_id: int


def issue_nonce(
    address: str,
    chain_id: int,
    binder: str,
    *,
    purpose: Purpose = Purpose.SIGN_IN,
    site: str = "",
) -> Challenge:
    """A challenge that only the holder of `binder` can answer, once, within settings.SIWE_NONCE_SECONDS.

    `site` picks one of settings.SIWE_SITES (their first when it is none of them). Raises InvalidAddressError,
    SignInError `siwe_chain_not_allowed`, SignInUnavailableError.
    """
    address = checksummed(address)
    if chain_id not in allowed_chain_ids():
        raise SignInError.of("siwe_chain_not_allowed")
    now = timezone.now()
    lifetime = timedelta(seconds=settings.SIWE_NONCE_SECONDS)
    nonce = nonces.issue(nonces.Grant(purpose, address, chain_id), binder, settings.SIWE_NONCE_SECONDS)
    message = compose(
        site=_site_named(site),
        address=address,
        statement=purpose.statement,
        chain_id=chain_id,
        nonce=nonce,
        now=now,
        lifetime=lifetime,
    )
    return Challenge(nonce, message, now + lifetime)


def verify(message: str, signature: str, binder: str, *, purpose: Purpose = Purpose.SIGN_IN) -> VerifiedWallet:
    """Check every field, use up the nonce, check the signature, in this order: an attempt costs its nonce.

    Raises SignInError with the code of the first failed check, or SignInUnavailableError.
    """
    if len(signature) > MAX_SIGNATURE_LENGTH:
        raise SignInError.of("siwe_too_large")
    parsed = parse(message)
    _check_fields(parsed, purpose, timezone.now())
    grant = nonces.consume(parsed.nonce, binder)
    if grant is None or grant.purpose != purpose:
        raise SignInError.of("siwe_nonce_unknown")
    if grant.address != parsed.address:
        raise SignInError.of("siwe_address_mismatch")
    if grant.chain_id != parsed.chain_id:
        raise SignInError.of("siwe_chain_not_allowed")
    if not signed_by_key(parsed.address, message, signature):
        _check_contract(parsed, message, signature)
    return VerifiedWallet(parsed.address, parsed.chain_id)


def sign_in(verified: VerifiedWallet) -> User:
    """The account of a verified wallet, made at its first sign-in.

    Raises AccountSuspendedError.
    """
    wallet = _wallet_of(verified.address) or _register(verified.address)
    ensure_may_act(wallet.user)
    LinkedWallet.objects.filter(pk=wallet.pk).update(last_used_at=timezone.now())
    return wallet.user


def ensure_may_act(user: User) -> None:
    """Raise AccountSuspendedError unless the user's requests are accepted."""
    if user.is_suspended:
        reason = f" Reason: {user.suspended_reason}" if user.suspended_reason else ""
        raise AccountSuspendedError(f"This account is suspended. Write to the site's support to appeal.{reason}")
    if not user.is_active:
        raise AccountSuspendedError("This account is closed.", code="account_closed")


def allowed_chain_ids() -> frozenset[int]:
    """The chains on which a message may be signed: those of the configured networks."""
    return frozenset(network.chain_id for network in all_networks())


def _check_fields(parsed: SignInMessage, purpose: Purpose, now: datetime) -> None:
    site = next((site for site in _sites() if site.domain == parsed.domain), None)
    if site is None or parsed.scheme not in (None, site.scheme):
        raise SignInError.of("siwe_domain_mismatch")
    if parsed.uri not in (site.url, f"{site.url}/"):
        raise SignInError.of("siwe_uri_mismatch")
    if parsed.statement != purpose.statement:
        raise SignInError.of("siwe_statement_mismatch")
    if parsed.has_extras:
        raise SignInError.of("siwe_unexpected_field")
    if parsed.chain_id not in allowed_chain_ids():
        raise SignInError.of("siwe_chain_not_allowed")
    _check_times(parsed, now)


def _check_times(parsed: SignInMessage, now: datetime) -> None:
    lifetime = timedelta(seconds=settings.SIWE_NONCE_SECONDS)
    if parsed.expires_at is None:
        raise SignInError.of("siwe_expiration_missing")
    if parsed.expires_at <= now or parsed.issued_at < now - lifetime - CLOCK_TOLERANCE:
        raise SignInError.of("siwe_expired")
    if parsed.issued_at > now + CLOCK_TOLERANCE or (parsed.not_before is not None and parsed.not_before > now):
        raise SignInError.of("siwe_not_yet_valid")
    if parsed.expires_at > parsed.issued_at + lifetime + CLOCK_TOLERANCE:
        raise SignInError.of("siwe_lifetime_too_long")


def _check_contract(parsed: SignInMessage, message: str, signature: str) -> None:
    """Accept what an account contract accepts, on the default network only: elsewhere somebody else may be able to
    put a contract at the same address, and an address is one account here whatever the chain."""
    network = default_network()
    if parsed.chain_id != network.chain_id or not signed_by_contract(network, parsed.address, message, signature):
        raise SignInError.of("siwe_signature_invalid")


def _sites() -> list[Site]:
    return [Site.of(url) for url in settings.SIWE_SITES]


def _site_named(url: str) -> Site:
    sites = _sites()
    return next((site for site in sites if site.url == url), sites[0])


def _wallet_of(address: str) -> LinkedWallet | None:
    return LinkedWallet.objects.select_related("user").filter(address=address).first()


def _register(address: str) -> LinkedWallet:
    try:
        with transaction.atomic():
            user = User.objects.create_user()
            wallet = LinkedWallet.objects.create(user=user, address=address, is_primary=True)
    except IntegrityError:
        # Another request of the same wallet came first; its user is the one, ours was rolled back.
        return LinkedWallet.objects.select_related("user").get(address=address)
    log.info("user_registered", user_id=str(user.pk), address=address)
    return wallet
