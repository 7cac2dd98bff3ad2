"""Agents and versions over HTTP."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny, IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from chain.networks import get_network
from marketplace.api.keyset import page_of, paginate
from marketplace.api.parsers import BodyParser, ModuleParser
from marketplace.api.problems import problems
from marketplace.api.throttles import BrowseThrottle, PublishThrottle
from marketplace.catalogue import agents as operations
from marketplace.catalogue import search, verdicts
from marketplace.catalogue.api.serializers import (
    AgentPageSerializer,
    AgentSerializer,
    AgentSummarySerializer,
    CategorySerializer,
    ModuleSerializer,
    NewAgentSerializer,
    NewVersionSerializer,
    SearchSerializer,
    VersionSerializer,
)
from marketplace.catalogue.modules.storing import store_module
from marketplace.models import Agent, AgentVersion, Category
from wallets.models import User

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def signed_in(request: Request) -> User:
    """The user of a request that the permissions let through."""
    assert isinstance(request.user, User)  # noqa: S101  anonymous requests were refused before
    return request.user


class CatalogueView(APIView):
    """Everybody may read what is visible to them; writing takes an account."""

    permission_classes = [IsAuthenticatedOrReadOnly]
    parser_classes = [BodyParser]

    def get_throttles(self) -> list[BaseThrottle]:
        return [BrowseThrottle() if self.request.method in READING else PublishThrottle()]

    def agent(self, slug: str) -> Agent:
        """The agent, if the user may read it. Raises Http404."""
        return get_object_or_404(Agent.objects.visible_to(self.request.user).with_listing(), slug=slug)

    def shown(self, agent: Agent) -> dict[str, Any]:
        """The agent as the response shows it, read anew."""
        read = Agent.objects.with_listing().get(pk=agent.pk)
        return dict(AgentSerializer(read, context={}).data)


@extend_schema(tags=["agents"])
class CategoryList(ListAPIView[Category]):
    """The categories agents are filed under, in their order."""

    queryset = Category.objects.all()
    serializer_class = CategorySerializer
    permission_classes = [AllowAny]
    throttle_classes = [BrowseThrottle]
    pagination_class = None
    filter_backends = ()


@extend_schema(tags=["agents"])
class AgentList(CatalogueView):
    @extend_schema(
        operation_id="agents_list",
        parameters=[SearchSerializer],
        responses={200: AgentPageSerializer, **problems(_422="An unknown token or ordering.")},
    )
    def get(self, request: Request) -> Response:
        """Search what is for sale."""
        asked = request.query_params
        plan = search.plan(
            asked.get("q", ""),
            asked.get("category", ""),
            asked.get("token", ""),
            asked.get("ordering", ""),
            get_network(asked["network"]) if asked.get("network") else None,
        )
        key = plan.sort_key
        agents, links = paginate(request, plan.agents, key.column, descending=key.descending)
        return page_of(links, list(AgentSummarySerializer(agents, many=True, context={}).data))

    @extend_schema(
        operation_id="agents_create",
        request=NewAgentSerializer,
        responses={201: AgentSerializer, **problems(_400="Malformed.", _422="Refused values, each named.")},
    )
    def post(self, request: Request) -> Response:
        """Create a draft. Add a version, then publish it."""
        values = NewAgentSerializer(data=request.data)
        values.is_valid(raise_exception=True)
        agent = operations.create_agent(signed_in(request), **values.validated_data)
        return Response(self.shown(agent), status=status.HTTP_201_CREATED)


@extend_schema(tags=["agents"])
class AgentDetail(CatalogueView):
    @extend_schema(operation_id="agents_read", responses={200: AgentSerializer, **problems(_404="No such agent.")})
    def get(self, request: Request, slug: str) -> Response:
        """One agent with the version that runs."""
        return Response(AgentSerializer(self.agent(slug), context={}).data)

    @extend_schema(
        operation_id="agents_update",
        request=NewAgentSerializer(partial=True),
        responses={200: AgentSerializer, **problems(_403="Not yours.", _404="No such agent.", _422="Refused values.")},
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Change the given values. `prices`, when given, replaces all prices. Open quotes keep their terms."""
        agent = self.agent(slug)
        values = NewAgentSerializer(data=request.data, partial=True)
        values.is_valid(raise_exception=True)
        operations.update_agent(agent, signed_in(request), **values.validated_data)
        return Response(self.shown(agent))


@extend_schema(tags=["agents"])
class AgentPublish(CatalogueView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="agents_publish",
        request=None,
        responses={
            200: AgentSerializer,
            **problems(_403="Not yours.", _404="No such agent.", _409="Not possible now."),
        },
    )
    def post(self, request: Request, slug: str) -> Response:
        """Put the agent into the catalogue. It needs a live version, a price, and a wallet to be paid to."""
        return Response(self.shown(operations.publish(self.agent(slug), signed_in(request))))


@extend_schema(tags=["agents"])
class AgentArchive(CatalogueView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="agents_archive",
        request=None,
        responses={
            200: AgentSerializer,
            **problems(_403="Not yours.", _404="No such agent.", _409="Not possible now."),
        },
    )
    def post(self, request: Request, slug: str) -> Response:
        """Take the agent out of the catalogue. Those who bought access keep it."""
        return Response(self.shown(operations.archive(self.agent(slug), signed_in(request))))


@extend_schema(tags=["agents"])
@extend_schema_view(
    get=extend_schema(operation_id="versions_list", description="All versions, newest first, withdrawn ones included.")
)
class VersionList(ListAPIView[AgentVersion], CatalogueView):
    serializer_class = VersionSerializer
    queryset = AgentVersion.objects.none()
    filter_backends = ()

    def get_queryset(self) -> QuerySet[AgentVersion]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        # Numbers only rise, so that the newest rows have the highest numbers.
        return self.agent(self.kwargs["slug"]).versions.all()

    @extend_schema(
        operation_id="versions_create",
        request=NewVersionSerializer,
        responses={
            201: VersionSerializer,
            **problems(_403="Not yours.", _404="No such agent.", _422="Refused values."),
        },
    )
    def post(self, request: Request, slug: str) -> Response:
        """Add a version, which becomes the one that runs. A container image is looked at first: until its `verdict` is
        `accepted` the version before it serves."""
        agent = self.agent(slug)
        values = NewVersionSerializer(data=request.data)
        values.is_valid(raise_exception=True)
        version = operations.add_version(agent, signed_in(request), **values.validated_data)
        return Response(VersionSerializer(version).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["agents"])
class ModuleUpload(CatalogueView):
    permission_classes = [IsAuthenticated]
    parser_classes = [ModuleParser]

    @extend_schema(
        operation_id="modules_create",
        request={"application/wasm": OpenApiTypes.BINARY},
        responses={201: ModuleSerializer, **problems(_422="No WASI command module.")},
    )
    def post(self, request: Request) -> Response:
        """Send a WebAssembly module (the request's body) to name it in a version by its SHA-256. Sending it again
        changes nothing."""
        module = store_module(signed_in(request), request.data["content"])
        return Response(ModuleSerializer(module).data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["agents"])
class VersionCheck(CatalogueView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="versions_check",
        request=None,
        responses={200: VersionSerializer, **problems(_403="Not yours.", _404="No such version.", _409="Not refused.")},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """Have the image of a refused version looked at again, for instance once the registry's password is there."""
        version = get_object_or_404(self.agent(slug).versions.select_related("agent"), number=number)
        return Response(VersionSerializer(verdicts.ask_again(version, signed_in(request))).data)


@extend_schema(tags=["agents"])
class VersionWithdraw(CatalogueView):
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="versions_withdraw",
        request=None,
        responses={200: VersionSerializer, **problems(_403="Not yours.", _404="No such version.", _409="Withdrawn.")},
    )
    def post(self, request: Request, slug: str, number: str) -> Response:
        """No new run uses this version; the highest one that remains runs instead."""
        version = get_object_or_404(self.agent(slug).versions.select_related("agent"), number=number)
        return Response(VersionSerializer(operations.withdraw_version(version, signed_in(request))).data)
