"""What every page may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Site name, and whether the connect dialog offers the demo wallet."""
    return {"site_name": settings.SITE_NAME, "demo_wallet": settings.DEMO_WALLET, "site_url": settings.SITE_URL}
