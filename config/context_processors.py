"""What every page may use."""

from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import HttpRequest

from wallets.models import User


def site(request: HttpRequest) -> dict[str, Any]:
    """Site name, and whether the connect dialog offers the demo wallet."""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        # The head of every page shows the wallets several times; one query serves them all.
        prefetch_related_objects([user], "wallets")
    return {"site_name": settings.SITE_NAME, "demo_wallet": settings.DEMO_WALLET, "site_url": settings.SITE_URL}
