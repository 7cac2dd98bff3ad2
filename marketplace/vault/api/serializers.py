"""Names go out, values only come in."""

from typing import Any

from rest_framework import serializers

from marketplace.vault.models import AgentSecret, RegistryCredential


class SecretSerializer(serializers.ModelSerializer[AgentSecret]):
    """A secret without its value."""

    class Meta:
        model = AgentSecret
        fields = ["name", "created_at", "updated_at"]
        read_only_fields = fields


class NewSecretSerializer(serializers.Serializer[Any]):
    """A secret's value."""

    value = serializers.CharField(trim_whitespace=False, write_only=True)


class CredentialSerializer(serializers.ModelSerializer[RegistryCredential]):
    """A credential without its password."""

    class Meta:
        model = RegistryCredential
        fields = ["registry", "username", "created_at", "updated_at"]
        read_only_fields = fields


class NewCredentialSerializer(serializers.Serializer[Any]):
    """A registry's user and password."""

    username = serializers.CharField(max_length=255)
    password = serializers.CharField(trim_whitespace=False, write_only=True)
