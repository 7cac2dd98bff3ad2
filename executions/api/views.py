"""Executions over HTTP."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.http import Http404, StreamingHttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.authentication import BaseAuthentication
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from executions import dispatch, durations, logs, retention
from executions.access import may_read_documents, visible_execution
from executions.api.serializers import (
    PRIORITIES,
    EgressRecordSerializer,
    ExecutionRequestSerializer,
    ExecutionSerializer,
    ExecutionSummarySerializer,
    LogQuerySerializer,
    LogSerializer,
)
from executions.errors import InvalidCancelAfterError, NoLiveVersionError, UnknownAgentError
from executions.logs.reading import everything
from executions.models import EgressRecord, Execution
from marketplace.api.parsers import BodyParser
from marketplace.models import Agent, AgentVersion
from wallets.models import User

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Asking again with the same key returns the execution of the first time instead of starting another.",
)

CANCEL_AFTER = OpenApiParameter(
    "Cancel-After",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same as `cancel_after`, which goes before it: `90`, `90s`, `5m`, `1h30m`.",
)


class ExecutionFilter(filters.FilterSet):  # type: ignore[misc]
    """Narrows the list."""

    agent = filters.CharFilter(field_name="agent__slug")
    status = filters.MultipleChoiceFilter(choices=Execution.Status.choices, distinct=False)

    class Meta:
        model = Execution
        fields = ["agent", "status"]


class ExecutionsView(ListAPIView[Execution]):
    """The caller's executions."""

    serializer_class = ExecutionSummarySerializer
    filterset_class = ExecutionFilter
    parser_classes = [BodyParser]
    queryset = Execution.objects.none()

    def get_queryset(self) -> Any:
        return Execution.objects.filter(user=_user(self.request)).with_names().defer("input", "output")

    @extend_schema(
        operation_id="executions_list", summary="List executions", description="Your executions, newest first."
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="executions_create",
        summary="Run an agent",
        request=ExecutionRequestSerializer,
        parameters=[IDEMPOTENCY_KEY, CANCEL_AFTER],
        responses={
            201: ExecutionSerializer,
            403: OpenApiResponse(description="`no_entitlement`: buy access first."),
            404: OpenApiResponse(description="`unknown_agent`"),
            409: OpenApiResponse(
                description="`no_live_version`, `version_withdrawn`, `version_being_checked`, `version_refused`, "
                "`agent_suspended`, `idempotency_conflict`, `files_full`"
            ),
            422: OpenApiResponse(description="`input_invalid` with a pointer per offending member, `input_too_large`"),
            429: OpenApiResponse(
                description="`too_many_executions`, `queue_full`, `daily_quota`; `Retry-After` says when to try again."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """Checks everything, queues the run and answers at once. Follow it at `logs/stream` or over the WebSocket."""
        body = ExecutionRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        agent = _agent(body.validated_data["agent"])
        execution = dispatch.request(
            _user(request),
            agent,
            body.validated_data["input"],
            version=_version(agent, body.validated_data.get("version")),
            idempotency_key=request.headers.get("Idempotency-Key"),
            priority=PRIORITIES[body.validated_data["priority"]],
            cancel_after=body.validated_data.get("cancel_after") or _cancel_after(request),
        )
        return Response(ExecutionSerializer(execution).data, status=201)


class ExecutionView(APIView):
    @extend_schema(operation_id="executions_retrieve", summary="One execution", responses=ExecutionSerializer)
    def get(self, request: Request, execution_id: UUID) -> Response:
        """State, and the output once it has succeeded."""
        return Response(_shown(_user(request), _visible(request, execution_id)))


class ExecutionCancelView(APIView):
    @extend_schema(
        operation_id="executions_cancel", summary="Cancel an execution", request=None, responses=ExecutionSerializer
    )
    def post(self, request: Request, execution_id: UUID) -> Response:
        """Allowed at any moment and as often as you like. A run under way ends within seconds; `cancel_requested` is
        true until then. One that has ended stays as it is."""
        _visible(request, execution_id)
        dispatch.cancel(_user(request), execution_id)
        return Response(_shown(_user(request), _visible(request, execution_id)))


class ExecutionDocumentsView(APIView):
    @extend_schema(
        operation_id="executions_delete_documents",
        summary="Delete input, output, log and connections",
        responses={
            204: None,
            409: OpenApiResponse(description="`not_finished`: cancel it first, or wait for its end."),
        },
    )
    def delete(self, request: Request, execution_id: UUID) -> Response:
        """Deletes what you sent and what the agent made of it, for ever. That it ran stays known."""
        execution = _visible(request, execution_id)
        if execution.user_id != _user(request).pk:
            raise Http404
        retention.delete_documents(execution.pk)
        return Response(status=204)


@extend_schema_view(
    get=extend_schema(
        operation_id="executions_connections",
        summary="Connections of an execution",
        description="Every connection the run made or tried, in order: host, port, bytes and verdict.",
    )
)
class ExecutionConnectionsView(ListAPIView[EgressRecord]):
    """Those of runs the caller may see; a version without hosts has none."""

    serializer_class = EgressRecordSerializer
    queryset = EgressRecord.objects.none()
    pagination_class = None  # the record of an attempt is bounded
    filter_backends = ()

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        return _visible(self.request, self.kwargs["execution_id"]).connections.all()


class ExecutionLogView(APIView):
    @extend_schema(
        operation_id="executions_logs",
        summary="A part of the log",
        parameters=[LogQuerySerializer],
        responses=LogSerializer,
    )
    def get(self, request: Request, execution_id: UUID) -> Response:
        """Lines with numbers above `after`, in order. Numbers start at 1 and have no gaps."""
        execution = _readable(request, execution_id)
        query = LogQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        after, limit = query.validated_data["after"], query.validated_data["limit"]
        # The state was read before the lines: when it says "ended", no line can come after them.
        page = logs.read(execution.pk, after, limit)
        reached = page.lines[-1].seq if page.lines else after
        complete = execution.is_finished and reached >= page.last_seq
        return Response({"lines": page.shown(), "last_seq": page.last_seq, "complete": complete})


class ExecutionLogDownloadView(APIView):
    @extend_schema(
        operation_id="executions_logs_download",
        summary="The log as a file",
        responses={(200, "text/plain"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, execution_id: UUID) -> StreamingHttpResponse:
        """The lines as the agent wrote them, control characters included, each with its time and stream."""
        execution = _readable(request, execution_id)
        rows = (
            f"{line['time']} {line['stream']:<6} {raw.text}\n".encode()
            for raw in everything(execution.pk)
            for line in (raw.shown(),)
        )
        return StreamingHttpResponse(
            rows,
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="execution-{execution.pk}.log"'},
        )


def authenticate(request: Any) -> User | None:
    """The user behind a plain Django request, found as the API finds it; None for nobody."""
    classes = cast("list[type[BaseAuthentication]]", api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    user = Request(request, authenticators=[each() for each in classes]).user
    return user if user.is_authenticated else None


def _user(request: Request) -> User:
    return cast("User", request.user)


def _visible(request: Request, execution_id: UUID) -> Execution:
    execution = visible_execution(_user(request), execution_id)
    if execution is None:
        raise Http404
    return execution


def _readable(request: Request, execution_id: UUID) -> Execution:
    execution = _visible(request, execution_id)
    if not may_read_documents(_user(request), execution):
        raise Http404
    return execution


def _shown(user: User, execution: Execution) -> dict[str, Any]:
    context = {"documents": may_read_documents(user, execution)}
    return dict(ExecutionSerializer(execution, context=context).data)


def _agent(slug: str) -> Agent:
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None:
        raise UnknownAgentError(f"There is no agent called {slug}.", fields={"agent": "Unknown agent."})
    return agent


def _cancel_after(request: Request) -> timedelta | None:
    text = request.headers.get("Cancel-After")
    delay = durations.parse(text) if text else None
    if text and delay is None:
        raise InvalidCancelAfterError("Cancel-After is a time such as 90s, 5m or 1h30m.")
    return delay


def _version(agent: Agent, number: str | None) -> AgentVersion | None:
    if number is None:
        return None
    version = agent.versions.filter(number=number).first()
    if version is None:
        raise NoLiveVersionError(f"{agent.name} has no version {number}.", code="unknown_version")
    return version
