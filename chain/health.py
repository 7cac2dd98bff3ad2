"""Health checks."""

from typing import Any


def status() -> list[dict[str, Any]]:
    """Checks of this room: `{name, ok, detail}`."""
    return []
