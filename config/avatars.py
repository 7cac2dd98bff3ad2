"""Agents' pictures: a small tile mosaic worked out from the slug, so that an agent looks the same everywhere.

Only presentation attributes are used: the content security policy forbids inline styles.
"""

import hashlib
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

# Ground, first and second figure colour; each trio was chosen to hold on light and on dark pages.
PALETTES: Final = (
    ("#0a6a50", "#f4c463", "#dff0e7"),
    ("#12324a", "#f08a5d", "#d7e6f2"),
    ("#7a2e2e", "#f6cf9a", "#e9765b"),
    ("#2f3e1d", "#c9d86a", "#f3efd9"),
    ("#274690", "#a9d6e5", "#f7b267"),
    ("#3d2c4e", "#e4a5c0", "#f5e6cc"),
    ("#0f5257", "#9fd8cb", "#ff9f6e"),
    ("#8a5a00", "#fbe3a6", "#1f3b36"),
    ("#e3e7dc", "#0a6a50", "#e0641f"),
    ("#f2d9a8", "#5b2333", "#1b6b6f"),
    ("#1e2b28", "#4bd0a3", "#f4bd55"),
    ("#c8553d", "#fbe9d0", "#3a1f2b"),
)
GRID: Final = 3
SIDE: Final = 8  # user units of one tile


def avatar(slug: str, size: str = "size-12", extra: str = "") -> SafeString:
    """An SVG of `size` (a width/height class) that is decoration: the agent's name always stands beside it."""
    digest = hashlib.sha256(slug.encode()).digest()
    ground, first, second = PALETTES[digest[0] % len(PALETTES)]
    tiles = [
        _tile(digest[1 + row * GRID + column], column * SIDE, row * SIDE, (first, second))
        for row in range(GRID)
        for column in range(GRID)
    ]
    edge = GRID * SIDE
    return format_html(
        '<svg class="avatar {} {}" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">'
        '<rect width="{}" height="{}" fill="{}"/>{}</svg>',
        size,
        extra,
        edge,
        edge,
        edge,
        edge,
        ground,
        mark_safe("".join(tiles)),  # noqa: S308  made of our own constants and numbers only
    )


def _tile(byte: int, x: int, y: int, colours: tuple[str, str]) -> str:
    """One tile: a quarter disc in one of four turns, a disc, a half, a ring, or nothing."""
    fill = colours[(byte >> 3) & 1]
    s, h = SIDE, SIDE // 2
    corner = ((x, y), (x + s, y), (x + s, y + s), (x, y + s))[(byte >> 4) & 3]
    kind = byte & 7
    if kind <= 3:
        cx, cy = corner
        ax, by = (x + s if cx == x else x), (y + s if cy == y else y)
        sweep = 1 if (cx == x) == (cy == y) else 0
        return f'<path d="M{cx} {cy}H{ax}A{s} {s} 0 0 {sweep} {cx} {by}Z" fill="{fill}"/>'
    if kind == 4:
        return f'<circle cx="{x + h}" cy="{y + h}" r="{h}" fill="{fill}"/>'
    if kind == 5:
        vertical = (byte >> 4) & 1
        width, height = (h, s) if vertical else (s, h)
        return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'
    if kind == 6:
        return f'<circle cx="{x + h}" cy="{y + h}" r="{h * 0.62:g}" fill="none" stroke="{fill}" stroke-width="2"/>'
    return ""
