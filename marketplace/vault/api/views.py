"""Secrets and registry credentials over HTTP: for the creator alone, and write-only."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api.parsers import BodyParser
from marketplace.api.problems import problems
from marketplace.api.throttles import PublishThrottle
from marketplace.catalogue.api.views import signed_in
from marketplace.models import Agent
from marketplace.vault import operations
from marketplace.vault.api.serializers import (
    CredentialSerializer,
    NewCredentialSerializer,
    NewSecretSerializer,
    SecretSerializer,
)


class VaultView(APIView):
    """Everything here is for the person it belongs to; for others it does not exist."""

    permission_classes = [IsAuthenticated]
    parser_classes = [BodyParser]
    throttle_classes = [PublishThrottle]

    def own(self, slug: str) -> Agent:
        """The caller's own agent. Raises Http404."""
        return get_object_or_404(Agent.objects.filter(creator=signed_in(self.request)), slug=slug)


@extend_schema(tags=["secrets"])
class SecretList(VaultView):
    @extend_schema(operation_id="secrets_list", responses={200: SecretSerializer(many=True)})
    def get(self, request: Request, slug: str) -> Response:
        """The names of the agent's secrets."""
        return Response(SecretSerializer(self.own(slug).secrets.defer("sealed"), many=True).data)


@extend_schema(tags=["secrets"])
class SecretDetail(VaultView):
    @extend_schema(
        operation_id="secrets_write",
        request=NewSecretSerializer,
        responses={200: SecretSerializer, **problems(_404="No such agent.", _422="Refused.")},
    )
    def put(self, request: Request, slug: str, name: str) -> Response:
        """Store or replace a secret. Runs find it in the file /run/secrets/NAME. It is never shown again."""
        agent = self.own(slug)
        body = NewSecretSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        stored = operations.set_secret(agent, signed_in(request), name, body.validated_data["value"])
        return Response(SecretSerializer(stored).data)

    @extend_schema(operation_id="secrets_delete", responses={204: None, **problems(_404="No such secret.")})
    def delete(self, request: Request, slug: str, name: str) -> Response:
        """Delete a secret."""
        if not operations.delete_secret(self.own(slug), signed_in(request), name):
            raise Http404
        return Response(status=204)


@extend_schema(tags=["secrets"])
class CredentialList(VaultView):
    @extend_schema(operation_id="registry_credentials_list", responses={200: CredentialSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The registries whose images the platform can pull for you."""
        rows: Any = signed_in(request).registry_credentials.defer("sealed")
        return Response(CredentialSerializer(rows, many=True).data)


@extend_schema(tags=["secrets"])
class CredentialDetail(VaultView):
    @extend_schema(
        operation_id="registry_credentials_write",
        request=NewCredentialSerializer,
        responses={200: CredentialSerializer, **problems(_422="Refused.")},
    )
    def put(self, request: Request, registry: str) -> Response:
        """Store or replace the credential of a registry. The password is never shown again."""
        body = NewCredentialSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        stored = operations.set_credential(signed_in(request), registry, **body.validated_data)
        return Response(CredentialSerializer(stored).data)

    @extend_schema(operation_id="registry_credentials_delete", responses={204: None, **problems(_404="None stored.")})
    def delete(self, request: Request, registry: str) -> Response:
        """Delete the credential of a registry."""
        if not operations.delete_credential(signed_in(request), registry):
            raise Http404
        return Response(status=204)
