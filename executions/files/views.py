"""Files over HTTP, for browsers: the way from a page to a signed address, and what is there."""

from collections.abc import AsyncIterator
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
from executions.files.models import storage
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
        if not await sync_to_async(storage().exists)(found.stored_as):
            raise LinkError("This file was deleted.")
    except LinkError as error:
        status = 404 if error.code == "bad_link" else error.http_status
        context = {"sentence": error.message}
        return await sync_to_async(render)(request, "executions/no_file.html", context, status=status)
    return StreamingHttpResponse(
        _chunks(found.stored_as),
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


async def _chunks(stored_as: str) -> AsyncIterator[bytes]:
    content = await sync_to_async(storage().open)(stored_as)
    read = sync_to_async(content.read, thread_sensitive=False)
    try:
        while chunk := await read(_CHUNK):
            yield chunk
    finally:
        content.close()
