"""What programs authenticate with."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
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


class Scope(models.TextChoices):
    """What an API key may be used for."""

    AGENTS_READ = "agents:read", "see agents, also your unpublished ones"
    AGENTS_WRITE = "agents:write", "create, change and publish your agents"
    PURCHASES_WRITE = "purchases:write", "quote purchases, and see yours"
    EXECUTIONS_RUN = "executions:run", "run and cancel executions"
    EXECUTIONS_READ = "executions:read", "see your executions, their logs and results"
    WEBHOOKS = "webhooks", "manage webhooks"


class ApiKey(models.Model):
    """A long-lived credential of one program. Only a hash of it is kept; the key itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey("wallets.User", on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=50)
    # How a key is found and recognised; says nothing about its secret.
    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # The key that this one was rotated into. One-to-one, so that two rotations at once cannot make two successors.
    successor = models.OneToOneField("self", on_delete=models.SET_NULL, null=True, related_name="predecessor")

    class Meta:
        verbose_name = "API key"
        indexes = [models.Index(fields=["user", "revoked_at"])]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        """`active`, `replaced` (rotated, and working for the rest of the overlap), `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return "expired"
        return "active" if self.successor_id is None else "replaced"
