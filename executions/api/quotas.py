"""How much of an agent its creator lets be used."""

from typing import Any, cast

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from executions import limits
from executions.models import AgentQuota
from marketplace.api.parsers import BodyParser
from marketplace.models import Agent
from wallets.models import User


class AgentQuotaSerializer(serializers.ModelSerializer[AgentQuota]):
    """Null is no limit of the creator's; the platform's own hold besides."""

    class Meta:
        model = AgentQuota
        fields = ["concurrent", "daily", "daily_per_user"]

    def validate_concurrent(self, value: int | None) -> int | None:
        return _within(value, limits.concurrent_per_agent())

    def validate_daily(self, value: int | None) -> int | None:
        return _within(value, limits.daily_per_agent())

    def validate_daily_per_user(self, value: int | None) -> int | None:
        return _within(value, limits.daily_per_user())


def _within(value: int | None, most: int | None) -> int | None:
    if value is not None and most is not None and value > most:
        raise serializers.ValidationError(f"The platform allows at most {most:,}.")
    return value


class AgentQuotaView(APIView):
    parser_classes = [BodyParser]

    @extend_schema(operation_id="agents_quota", summary="An agent's quota", responses=AgentQuotaSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """The limits you have set for an agent of yours."""
        return Response(AgentQuotaSerializer(_quota(request, slug)).data)

    @extend_schema(
        operation_id="agents_quota_update",
        summary="Set an agent's quota",
        request=AgentQuotaSerializer,
        responses=AgentQuotaSerializer,
    )
    def put(self, request: Request, slug: str) -> Response:
        """Replaces all three; what is left out becomes no limit. Runs that wait or are under way stay."""
        quota = _quota(request, slug)
        wanted = {"concurrent": None, "daily": None, "daily_per_user": None} | dict(request.data)
        body = AgentQuotaSerializer(quota, data=wanted)
        body.is_valid(raise_exception=True)
        body.save()
        return Response(body.data)


def _quota(request: Request, slug: str) -> AgentQuota:
    """The quota of an own agent, saved or not yet."""
    agent = Agent.objects.filter(slug=slug, creator=cast("User", request.user)).first()
    if agent is None:
        raise Http404
    values: dict[str, Any] = {"agent": agent}
    return AgentQuota.objects.filter(agent=agent).first() or AgentQuota(**values)
