"""Every address of the site, read from the URL patterns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Route:
    """`name` with its namespace (the path where there is none), `path` without leading slash, URL parameters, view."""

    name: str
    path: str
    parameters: tuple[str, ...]
    view: Any

    @property
    def is_admin(self) -> bool:
        return self.path.startswith("admin/")


def routes() -> list[Route]:
    """All of them, in the order in which they are tried."""
    return list(_walk(get_resolver().url_patterns))


def _walk(
    patterns: list[URLPattern | URLResolver], path: str = "", space: str = "", parameters: tuple[str, ...] = ()
) -> Iterator[Route]:
    for pattern in patterns:
        here = path + str(pattern.pattern)
        names = (*parameters, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, here, inner, names)
        else:
            yield Route(space + pattern.name if pattern.name else here, here, names, pattern.callback)
