"""Cursor pagination by one sort key and the id.

DRF's own cursor steps over rows of equal key by counting them, and stops counting at a thousand; most agents have been
bought equally often (never), so here the cursor holds the last row's key and id.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

M = TypeVar("M", bound=Model)
PAGE_SIZE = 20
MAXIMUM_PAGE_SIZE = 100
_LARGEST = 2**256


@dataclass(frozen=True, slots=True)
class Position:
    """Between which rows a page begins: after (or, going back, before) the row with this key and id."""

    key: int | datetime
    pk: UUID
    backwards: bool

    def encode(self) -> str:
        """An opaque text for a URL."""
        key = self.key.isoformat() if isinstance(self.key, datetime) else str(self.key)
        kind = "t" if isinstance(self.key, datetime) else "n"
        return urlsafe_b64encode(json.dumps([kind, key, str(self.pk), int(self.backwards)]).encode()).decode()

    @classmethod
    def decode(cls, text: str) -> "Position":
        """The reverse of `encode`. Raises NotFound for anything else."""
        try:
            kind, key, pk, backwards = json.loads(urlsafe_b64decode(text.encode()))
            number_or_time: int | datetime = datetime.fromisoformat(key) if kind == "t" else int(key)
            if isinstance(number_or_time, int) and abs(number_or_time) > _LARGEST:
                raise ValueError("out of range")
            if isinstance(number_or_time, datetime) and number_or_time.tzinfo is None:
                raise ValueError("no time zone")
            return cls(number_or_time, UUID(pk), bool(backwards))
        except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
            raise NotFound("This page does not exist. Begin again without cursor.") from None


def paginate(request: Request, rows: QuerySet[M], column: str, *, descending: bool) -> tuple[list[M], dict[str, Any]]:
    """One page of `rows`, which are sorted by (`column`, id) in one direction, and `{next, previous}` links.

    Raises NotFound for a cursor that is not ours.
    """
    size = _page_size(request)
    given = request.query_params.get("cursor")
    position = Position.decode(given) if given else None
    try:
        page, more = _read(rows, position, column, descending, size)
    except (TypeError, ValueError, OverflowError, ValidationError):
        # A cursor of another ordering compares a time with a number.
        raise NotFound("This cursor belongs to another ordering. Begin again without cursor.") from None
    backwards = position is not None and position.backwards
    has_next = more if not backwards else True
    has_previous = more if backwards else position is not None
    links = {
        "next": _link(request, page, column, backwards=False) if page and has_next else None,
        "previous": _link(request, page, column, backwards=True) if page and has_previous else None,
    }
    return page, links


def _read(
    rows: QuerySet[M], position: Position | None, column: str, descending: bool, size: int
) -> tuple[list[M], bool]:
    backwards = position is not None and position.backwards
    if position is not None:
        side = "lt" if descending != backwards else "gt"
        beyond = Q(**{f"{column}__{side}": position.key})
        beyond |= Q(**{column: position.key, f"pk__{side}": position.pk})
        rows = rows.filter(beyond)
    found = list((rows.reverse() if backwards else rows)[: size + 1])
    more = len(found) > size
    page = found[:size]
    return (page[::-1] if backwards else page), more


def _link(request: Request, page: Sequence[Model], column: str, *, backwards: bool) -> str:
    edge = page[0] if backwards else page[-1]
    cursor = Position(getattr(edge, column), edge.pk, backwards).encode()
    return replace_query_param(remove_query_param(request.build_absolute_uri(), "cursor"), "cursor", cursor)


def _page_size(request: Request) -> int:
    text = request.query_params.get("page_size", "")
    if not re.fullmatch(r"[0-9]{1,5}", text):
        return PAGE_SIZE
    return min(max(int(text), 1), MAXIMUM_PAGE_SIZE)


def page_of(links: dict[str, Any], results: list[Any]) -> Response:
    """`{next, previous, results}`."""
    return Response({**links, "results": results})
