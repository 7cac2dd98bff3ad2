"""Tags and filters that every page may use: icons, avatars, times, addresses, the import map."""

import json
from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.forms import BoundField
from django.template.defaultfilters import stringfilter
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from config.avatars import avatar
from config.icons import ICONS

register = template.Library()
# In this order: Chrome names Safari, Edge names Chrome, Android names Linux.
_BROWSERS = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]
_SYSTEMS = [
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS X", "macOS"), ("Android", "Android"),
    ("Linux", "Linux"),
]  # fmt: skip
register.simple_tag(avatar, name="avatar")

MODULE_FOLDERS = ("site/", "wallets/", "marketplace/", "executions/")
UNITS = (("year", 365 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A decorative icon; give the control that holds it a name of its own."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        extra,
        ICONS[name],
    )


@register.filter
@stringfilter
def short_address(value: str) -> str:
    """`0x1234…cdef`: enough to recognise an address or hash; the full one goes into a title or a copy button."""
    return f"{value[:6]}…{value[-4:]}" if len(value) > 12 else value


@register.filter
def duration(seconds: int) -> str:
    """`30 days`, `1 year`, `12 hours`; 0 is "for ever". The largest unit that divides the number exactly."""
    if not seconds:
        return "for ever"
    name, size = next((name, size) for name, size in UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {name}{'' if count == 1 else 's'}"


@register.filter
def access_term(seconds: int) -> str:
    """How long a purchase gives access: `for 30 days`, `for ever`."""
    return f"for {duration(seconds)}" if seconds else duration(seconds)


@register.filter
def bytes_size(value: int) -> str:
    """A number of bytes as `512 MB` (1 MB = 1024 KB, as limits are set)."""
    size, unit = float(value), "B"
    for larger in ("KB", "MB", "GB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:g} {unit}"


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A `<time>` that the page's script shows as "5 min ago" in the reader's own time zone."""
    if value is None:
        return "-"
    shown = f"{value.day} {value:%b %Y, %H:%M} UTC"
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', value.isoformat(), shown, shown)


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """A `<time>` that the page's script shows as a date and time in the reader's own time zone."""
    if value is None:
        return "-"
    shown = f"{value.day} {value:%b %Y, %H:%M} UTC"
    return format_html('<time datetime="{}" title="{}" data-clock>{}</time>', value.isoformat(), shown, shown)


@register.filter
def device(user_agent: str) -> str:
    """A user agent as people say it: "Firefox on Windows". A program's own name is shown as it is."""
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    return user_agent.partition(" ")[0] or "Unknown program"


@register.filter
def pretty_json(value: Any) -> str:
    """Indented JSON, for reading and for text areas."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def json_text(value: str) -> SafeString:
    """JSON text for inside a `<script type="application/json">`: no character in it can end the element."""
    escaped = value.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return mark_safe(escaped)  # noqa: S308  escaped on the line above


@register.simple_tag(takes_context=True)
def import_map(context: template.Context) -> SafeString | str:
    """Maps each ES module's plain address to its hashed one where static files are hashed.

    The modules import each other by relative paths; with the map a browser still gets the immutable, cacheable files.
    """
    names: dict[str, str] = getattr(staticfiles_storage, "hashed_files", {})
    imports = {
        f"{settings.STATIC_URL}{name}": staticfiles_storage.url(name)
        for name in names
        if name.endswith(".js") and name.startswith(MODULE_FOLDERS)
    }
    if not imports:
        return ""
    body = json.dumps({"imports": imports}).replace("<", "\\u003c")
    return format_html(
        '<script type="importmap" nonce="{}">{}</script>',
        context.get("CSP_NONCE", ""),
        mark_safe(body),  # noqa: S308  JSON of our own file names, with < escaped
    )


@register.simple_tag
def field_input(field: BoundField, extra: str = "") -> SafeString:
    """A form field's control with the site's look; labels, help and errors are the template's."""
    widget = field.field.widget
    base = "checkbox" if getattr(widget, "input_type", "") == "checkbox" else "input"
    return field.as_widget(attrs={"class": " ".join(part for part in (base, widget.attrs.get("class"), extra) if part)})
