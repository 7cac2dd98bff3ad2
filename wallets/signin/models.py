"""Users and the wallets that sign for them."""

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField
from wallets.signin.managers import UserManager

# What the columns say of a user whose requests are accepted, as a filter.
MAY_ACT = {"is_active": True, "is_suspended": False}


def technical_username() -> str:
    """A unique value for the column that Django wants; nobody ever sees or types it."""
    return uuid4().hex


class User(AbstractUser):
    """A person: enters by wallet, e-mail and password, or passkey. `username` is technical and never shown."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(max_length=150, unique=True, default=technical_username, editable=False)
    # NULL rather than "": who enters by wallet needs no e-mail, and NULLs do not collide.
    email = models.EmailField("e-mail address", unique=True, null=True, blank=True)  # type: ignore[assignment]
    display_name = models.CharField(max_length=50, blank=True)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    is_suspended = models.BooleanField("suspended", default=False, editable=False)
    suspended_reason = models.CharField(max_length=500, blank=True, editable=False)
    suspended_at = models.DateTimeField(null=True, editable=False)
    # When its owner deleted the account; the row stays for the purchases that refer to it.
    closed_at = models.DateTimeField(null=True, editable=False)

    # Whether the rights of staff hold for who asks: only where a second factor was given, which a session remembers and
    # tokens, keys and a bare sign-in never have. See `wallets.signin.rights`.
    acts_as_staff = False

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        verbose_name = "user"
        verbose_name_plural = "users"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # One spelling, so that the unique index also holds between Ann@x.org and ann@x.org.
        self.email = self.email.strip().lower() or None if self.email else None
        super().save(*args, **kwargs)

    @property
    def may_act(self) -> bool:
        """Whether this user's requests are accepted at all."""
        return self.is_active and not self.is_suspended

    @property
    def primary_address(self) -> str | None:
        """The wallet that pays and receives by default."""
        wallets = sorted(self.wallets.all(), key=lambda wallet: (not wallet.is_primary, wallet.pk))
        return wallets[0].address if wallets else None

    @property
    def shown_name(self) -> str:
        """Display name, else the short form of the primary address, else the e-mail's local part."""
        if self.closed_at is not None:
            return "Deleted account"
        if self.display_name:
            return self.display_name
        address = self.primary_address
        if address:
            return f"{address[:6]}…{address[-4:]}"
        return (self.email or "").partition("@")[0] or "Someone"

    def get_username(self) -> str:
        """Never empty, as Django's own pages expect: the e-mail, else the technical name."""
        return self.email or self.username

    def get_full_name(self) -> str:
        """What Django's own pages call the user."""
        return self.shown_name

    def get_short_name(self) -> str:
        """The same: there is only one name."""
        return self.shown_name

    def addresses(self) -> list[str]:
        """The linked addresses, the primary one first, then the smart accounts that the wallets and passkeys own."""
        linked = sorted(self.wallets.all(), key=lambda wallet: (not wallet.is_primary, wallet.pk))
        wallets = [wallet.address for wallet in linked]
        # A wallet that was unlinked takes its smart account with it; one contract may stand for several networks.
        owned = [
            account.address
            for account in self.smart_accounts.all()
            if account.owner_address is None or account.owner_address in wallets
        ]
        return list(dict.fromkeys(wallets + owned))

    def __str__(self) -> str:
        return self.shown_name


class LinkedWallet(models.Model):
    """An address whose owner proved control of it by signing in or linking it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="wallets")
    # Unique over all users: an address enters exactly one account, and two first sign-ins cannot make two users.
    address = AddressField(unique=True)
    is_primary = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(is_primary=True), name="one_primary_wallet"),
        ]

    def __str__(self) -> str:
        return str(self.address)


class BrowserSession(models.Model):
    """A browser that is signed in. The session itself lives in Django's store; this row says whose and from where."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="browser_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    address = AddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"session of {self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"
