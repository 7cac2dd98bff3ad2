"""What programs authenticate with."""

from django.db import models
from uuid_utils.compat import uuid7

from chain.fields import AddressField


class TokenFamily(models.Model):
    """One sign-in of a program: the refresh token in force and every access token made from it.

    Only the current refresh token's id is kept. An older one shows that two parties hold it, and ends the family.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey("wallets.User", on_delete=models.CASCADE, related_name="token_families")
    refresh_id = models.CharField(max_length=32, unique=True)
    address = AddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "token families"
        indexes = [models.Index(fields=["user", "revoked_at"])]

    def __str__(self) -> str:
        return f"tokens of {self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"
