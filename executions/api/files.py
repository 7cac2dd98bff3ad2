"""Files over the API."""

from typing import cast
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from executions.api.file_serializers import FileLinkSerializer, FileSerializer, UploadSerializer
from executions.errors import FileInUseError, InputInvalidError, UnknownAgentError
from executions.files import cleaning, storing
from executions.files.access import readable_file
from executions.files.models import File
from marketplace.api.throttles import RateThrottle
from marketplace.catalogue.file_members import FileMember, file_members
from marketplace.models import Agent
from wallets.models import User
from wallets.rates import Rate


class UploadThrottle(RateThrottle):
    """Each upload is written to the storage."""

    rate = Rate("executions-upload", limit=120, seconds=60)

    def allow_request(self, request: Request, view: APIView) -> bool:
        return request.method != "POST" or super().allow_request(request, view)


class FilesView(APIView):
    parser_classes = [MultiPartParser]
    throttle_classes = [UploadThrottle]

    @extend_schema(
        operation_id="files_create",
        summary="Upload a file",
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: FileSerializer,
            409: OpenApiResponse(description="`too_many_files`: use or remove some first; `files_full`"),
            422: OpenApiResponse(description="`file_too_large`, `file_type`"),
        },
    )
    def post(self, request: Request) -> Response:
        """Put its `id` where the input's schema has a file. What no run has used is deleted after a day."""
        body = UploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        content = body.validated_data["file"]
        member = _member(body.validated_data.get("agent"), body.validated_data.get("field"))
        file = storing.upload(_user(request), content, content.name, member)
        return Response(FileSerializer(file).data, status=201)


class FileView(APIView):
    @extend_schema(operation_id="files_retrieve", summary="One file", responses=FileLinkSerializer)
    def get(self, request: Request, file_id: UUID) -> Response:
        """Whom it belongs to, and staff who may see what runs are given, get an address for the content."""
        return Response(FileLinkSerializer(self._file(request, file_id)).data)

    @extend_schema(
        operation_id="files_delete",
        summary="Remove a file",
        responses={204: None, 409: OpenApiResponse(description="`file_in_use`: a run has it.")},
    )
    def delete(self, request: Request, file_id: UUID) -> Response:
        """Removes what no run has. A run's files go with its documents."""
        file = self._file(request, file_id)
        if file.user_id != _user(request).pk:
            raise Http404
        if not cleaning.delete([file.pk]):
            raise FileInUseError("A run has this file. Delete the documents of that run instead.")
        return Response(status=204)

    def _file(self, request: Request, file_id: UUID) -> File:
        file = readable_file(_user(request), file_id)
        if file is None:
            raise Http404
        return file


def _member(slug: str | None, name: str | None) -> FileMember:
    """What the file is meant for. Raises UnknownAgentError, InputInvalidError."""
    if slug is None or name is None:
        return FileMember("")
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None or agent.live_version is None:
        raise UnknownAgentError(f"There is no agent called {slug} that can be run.")
    member = file_members(agent.live_version.input_schema).get(name)
    if member is None:
        raise InputInvalidError(f"{agent.name} takes no file called {name}.")
    return member


def _user(request: Request) -> User:
    return cast("User", request.user)
