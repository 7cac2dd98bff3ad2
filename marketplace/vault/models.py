"""Sealed values. Nothing shows them again: they are replaced or deleted, and read by workers only."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7

from marketplace.catalogue.models import Agent
from marketplace.vault.encryption import unseal


class Sealed(models.Model):
    """An encrypted text. `sealed` must never leave this slice."""

    sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def reveal(self) -> str:
        """The text. Raises VaultError."""
        return unseal(self.sealed)


class AgentSecret(Sealed):
    """Something every run of an agent finds in a file of this name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["agent", "name"], name="one_secret_per_name")]

    def __str__(self) -> str:
        return f"{self.name} of {self.agent_id}"


class RegistryCredential(Sealed):
    """How a creator's images are pulled from a private registry."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    creator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="registry_credentials")
    registry = models.CharField(max_length=255, help_text="Host, and port unless it is 443.")
    username = models.CharField(max_length=255)

    class Meta:
        ordering: ClassVar = ["registry"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["creator", "registry"], name="one_credential_per_registry")
        ]

    def __str__(self) -> str:
        return f"{self.registry} of {self.creator_id}"
