"""Markdown of strangers to HTML that is safe on our pages: no raw HTML, images or scripts, links marked as theirs."""

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

MAXIMUM_LENGTH = 20_000
_TAGS = frozenset(
    {"p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
    | {"h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
)
_DEEPEST_HEADING = 6


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # Images are left out: they would tell a stranger's server who reads the page, and the CSP refuses them anyway.
    return (
        MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"]).disable("image")
    )


def render_markdown(text: str) -> SafeString:
    """HTML of `text`. Headings start at h2, as the page has its own h1."""
    parser = _parser()
    tokens = [_lowered(token) for token in parser.parse(text[:MAXIMUM_LENGTH])]
    html = parser.renderer.render(tokens, parser.options, {})
    safe = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow ugc noopener noreferrer",
        strip_comments=True,
    )
    return mark_safe(safe)  # noqa: S308  nh3 cleaned it on the line above


def _lowered(token: Token) -> Token:
    if token.type not in ("heading_open", "heading_close"):
        return token
    return token.copy(tag=f"h{min(int(token.tag[1:]) + 1, _DEEPEST_HEADING)}")
