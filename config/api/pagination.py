"""Cursor pagination: stable while rows are added, and no counting of large tables."""

from rest_framework.pagination import CursorPagination as BaseCursorPagination


class CursorPagination(BaseCursorPagination):
    """`{next, previous, results}`, newest first. UUIDv7 keys sort by creation."""

    page_size = 20
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-id"
