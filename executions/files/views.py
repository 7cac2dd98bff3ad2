"""Files over HTTP, for browsers: the way from a page to a signed address, and what is there."""

from collections.abc import AsyncIterator
from typing import IO
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from executions.errors import LinkError
from executions.files import links
from executions.files.access import readable_file
from executions.files.media import ANYTHING
from executions.files.models import File
from marketplace import contents
from marketplace.errors import StorageAwayError
from wallets.signin.people import signed_in

_CHUNK = 256 * 1024


@require_GET
@login_required
def file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """To the file's signed address of this moment: pages stay open longer than that holds."""
    found = readable_file(signed_in(request), pk)
    if found is None:
        raise Http404
    if "show" in request.GET:
        return redirect(links.path(found, inline=True))
    return redirect(links.download(found).url if settings.FILES_S3_BUCKET else links.path(found))


@require_GET
async def signed_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The content, for whoever has its address. No browser runs it: it is saved, or is an image of a plain kind."""
    try:
        found, inline = await sync_to_async(links.open_link)(token)
        content = await _opened(found)
    except (LinkError, StorageAwayError) as error:
        status = 404 if error.code == "bad_link" else error.http_status
        context = {"sentence": error.message}
        return await sync_to_async(render)(request, "executions/no_file.html", context, status=status)
    return StreamingHttpResponse(
        _Pieces(content),
        content_type=found.media_type if inline else ANYTHING,
        headers={
            "Content-Length": str(found.size),
            "Content-Disposition": links.disposition(found, inline=inline),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


async def _opened(found: File) -> IO[bytes]:
    """Before anything is answered: from then on no error can be told. Raises LinkError, StorageAwayError."""
    try:
        return await sync_to_async(contents.read, thread_sensitive=False)(found.stored_as)
    except FileNotFoundError:
        raise LinkError("This file was deleted.") from None


class _Pieces:
    """A content for an answer, which closes it even when nobody read it."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self._content.read, thread_sensitive=False)
        while piece := await read(_CHUNK):
            yield piece

    def close(self) -> None:
        self._content.close()
