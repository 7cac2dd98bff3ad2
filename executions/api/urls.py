"""API routes."""

from django.urls import URLPattern, path

from executions.api.files import FilesView, FileView
from executions.api.quotas import AgentQuotaView
from executions.api.streaming import stream_log
from executions.api.views import (
    ExecutionCancelView,
    ExecutionConnectionsView,
    ExecutionDocumentsView,
    ExecutionLogDownloadView,
    ExecutionLogView,
    ExecutionsView,
    ExecutionView,
)

urlpatterns: list[URLPattern] = [
    path("agents/<slug:slug>/quota", AgentQuotaView.as_view(), name="api-agent-quota"),
    path("files", FilesView.as_view(), name="api-files"),
    path("files/<uuid:file_id>", FileView.as_view(), name="api-file"),
    path("executions", ExecutionsView.as_view(), name="api-executions"),
    path("executions/<uuid:execution_id>", ExecutionView.as_view(), name="api-execution"),
    path("executions/<uuid:execution_id>/cancel", ExecutionCancelView.as_view(), name="api-execution-cancel"),
    path("executions/<uuid:execution_id>/documents", ExecutionDocumentsView.as_view(), name="api-execution-documents"),
    path(
        "executions/<uuid:execution_id>/connections",
        ExecutionConnectionsView.as_view(),
        name="api-execution-connections",
    ),
    path("executions/<uuid:execution_id>/logs", ExecutionLogView.as_view(), name="api-execution-logs"),
    path("executions/<uuid:execution_id>/logs/stream", stream_log, name="api-execution-logs-stream"),
    path(
        "executions/<uuid:execution_id>/logs/download",
        ExecutionLogDownloadView.as_view(),
        name="api-execution-logs-download",
    ),
]
