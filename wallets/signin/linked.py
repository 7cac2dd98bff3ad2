"""The wallets of one account: link another, unlink, choose the primary one."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from wallets.credentials import tokens
from wallets.errors import LastWayInError, WalletNotLinkedError, WalletTakenError
from wallets.models import LinkedWallet, User
from wallets.signin import sessions
from wallets.signin.siwe import VerifiedWallet


def link(user: User, verified: VerifiedWallet) -> LinkedWallet:
    """Add a proven address to the account; linking one's own again only notes its use.

    Raises WalletTakenError when it enters another account.
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            _lock(user)
            return LinkedWallet.objects.create(
                user=user, address=verified.address, is_primary=not user.wallets.exists(), last_used_at=now
            )
    except IntegrityError:
        wallet = LinkedWallet.objects.get(address=verified.address)
    if wallet.user_id != user.pk:
        raise WalletTakenError(
            "This wallet already enters another account. Sign in with it there and unlink it, or delete that account; "
            "what the wallet bought stays with the wallet."
        )
    LinkedWallet.objects.filter(pk=wallet.pk).update(last_used_at=now)
    return wallet


def confirm(user: User, verified: VerifiedWallet) -> None:
    """Note that a wallet of the user's signed just now. Raises WalletNotLinkedError for anybody else's."""
    if not user.wallets.filter(address=verified.address).update(last_used_at=timezone.now()):
        raise WalletNotLinkedError("This wallet does not enter your account. Confirm with one that does.")


@transaction.atomic
def unlink(user: User, address: str) -> None:
    """Take an address off the account and end what it had signed in. The oldest other wallet becomes primary.

    Raises WalletNotLinkedError, LastWayInError.
    """
    # The lock closes the race of two requests that each leave the other's wallet as the last way in.
    _lock(user)
    wallet = _own(user, address)
    others = user.wallets.exclude(pk=wallet.pk).order_by("pk")
    if not others.exists() and not enters_without_wallet(user):
        raise LastWayInError(
            "This wallet is the only way into your account. Link another wallet or add a passkey first."
        )
    was_primary = wallet.is_primary
    wallet.delete()
    heir = others.first()
    if was_primary and heir is not None:
        user.wallets.filter(pk=heir.pk).update(is_primary=True)
    sessions.revoke_all(user, address=address)
    for family in user.token_families.filter(address=address, revoked_at=None):
        tokens.revoke(family)


@transaction.atomic
def make_primary(user: User, address: str) -> LinkedWallet:
    """Choose the wallet that pays and receives by default. Raises WalletNotLinkedError."""
    _lock(user)
    wallet = _own(user, address)
    user.wallets.filter(is_primary=True).exclude(pk=wallet.pk).update(is_primary=False)
    user.wallets.filter(pk=wallet.pk).update(is_primary=True)
    wallet.is_primary = True
    return wallet


def _lock(user: User) -> None:
    User.objects.select_for_update().get(pk=user.pk)


def _own(user: User, address: str) -> LinkedWallet:
    wallet = user.wallets.filter(address=address).first()
    if wallet is None:
        raise WalletNotLinkedError("This address is not one of your wallets.")
    return wallet


def enters_without_wallet(user: User) -> bool:
    """Whether a password or a passkey lets the user in: then no wallet is the last way in."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.models import Authenticator

    if Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists():
        return True
    return user.has_usable_password() and EmailAddress.objects.filter(user=user, verified=True).exists()
