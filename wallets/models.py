"""Users and the wallets that sign for them."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField


class User(AbstractUser):
    """A person: enters by wallet, or (staff) by e-mail. `username` is technical and never shown."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    display_name = models.CharField(max_length=50, blank=True)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    @property
    def primary_address(self) -> str | None:
        """The wallet that pays and receives by default."""
        wallets = sorted(self.wallets.all(), key=lambda wallet: (not wallet.is_primary, wallet.pk))
        return wallets[0].address if wallets else None

    @property
    def shown_name(self) -> str:
        """Display name, else the short form of the primary address, else the e-mail's local part."""
        if self.display_name:
            return self.display_name
        address = self.primary_address
        if address:
            return f"{address[:6]}…{address[-4:]}"
        return self.email.partition("@")[0] or "Someone"

    def addresses(self) -> list[str]:
        """Every linked address."""
        return [wallet.address for wallet in self.wallets.all()]

    def __str__(self) -> str:
        return self.shown_name


class LinkedWallet(models.Model):
    """An address whose owner proved control of it by signing in or linking it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="wallets")
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
