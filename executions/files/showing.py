"""Files on a run's page: who they are, and a look at what a page can show without danger."""

from dataclasses import dataclass, replace

import structlog
from django.urls import reverse
from django.utils.safestring import SafeString

from executions.files.links import IMAGES
from executions.files.media import PLAIN_TEXTS
from executions.files.models import File, FileUse
from executions.logs.text import plain
from executions.models import Execution
from marketplace import contents
from marketplace.catalogue.markdown import render_markdown
from marketplace.errors import StorageAwayError

log = structlog.get_logger(__name__)
PREVIEW_BYTES = 16 * 1024
# Of further files only names are shown.
MOST_PREVIEWS = 5
# Not HTML: its source tells nobody anything.
_TEXTS = PLAIN_TEXTS | {"application/xml"}


@dataclass(frozen=True, slots=True)
class ShownFile:
    """`size` in bytes. `url` leads to the content for those who may have it; `image` is shown from there, `text` and
    `html` are looks at the beginning, `cut` says that there is more."""

    id: str
    name: str
    size: int
    media_type: str
    url: str
    image: bool = False
    text: str = ""
    html: SafeString | None = None
    cut: bool = False


def shown_files(execution: Execution) -> tuple[dict[str, ShownFile], dict[str, ShownFile]]:
    """The files a run took, without a look inside, and those it gave, by id."""
    given: dict[str, ShownFile] = {}
    made: dict[str, ShownFile] = {}
    for use in execution.file_uses.select_related("file").order_by("pk"):
        if use.direction == FileUse.Direction.INPUT:
            given[str(use.file_id)] = _plain(use.file)
        else:
            made[str(use.file_id)] = _with_preview(use.file) if len(made) < MOST_PREVIEWS else _plain(use.file)
    return given, made


def _plain(file: File) -> ShownFile:
    url = reverse("executions:file", args=[file.pk])
    return ShownFile(str(file.pk), file.name, file.size, file.media_type, url)


def _with_preview(file: File) -> ShownFile:
    shown = _plain(file)
    if file.media_type in IMAGES:
        return replace(shown, image=True)
    if file.media_type not in _TEXTS or not file.size:
        return shown
    try:
        with contents.read(file.stored_as) as content:
            raw = content.read(PREVIEW_BYTES)
    except (StorageAwayError, FileNotFoundError):  # the page does without a look inside
        log.warning("file_not_shown", file_id=str(file.pk))
        return shown
    text = plain(raw.decode("utf-8", "ignore").removeprefix("\ufeff"))
    cut = file.size > len(raw)
    if file.media_type == "text/markdown":
        return replace(shown, html=render_markdown(text), cut=cut)
    return replace(shown, text=text, cut=cut)
