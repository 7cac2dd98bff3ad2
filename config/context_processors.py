"""What every page may use."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import HttpRequest

from wallets.models import User
from wallets.signin.sessions import ADDRESS_KEY


def site(request: HttpRequest) -> dict[str, Any]:
    """Site name, what the connect dialog offers, and where mail ends up that does not leave this machine."""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        # The head of every page shows the wallets several times; one query serves them all.
        prefetch_related_objects([user], "wallets")
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "demo_wallet": settings.DEMO_WALLET,
        # The wallet whose signature began this session; the page ends it when that wallet is disconnected.
        "session_address": request.session.get(ADDRESS_KEY) if isinstance(user, User) else None,
        "email_sign_up": settings.EMAIL_SIGN_UP,
        "mail_goes_to": _local_mail(),
    }


def _local_mail() -> str:
    """Empty when mail is really sent."""
    if settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        folder = Path(settings.EMAIL_FILE_PATH)
        return str(folder.relative_to(settings.BASE_DIR) if folder.is_relative_to(settings.BASE_DIR) else folder)
    return "the server's output" if settings.EMAIL_BACKEND.endswith("console.EmailBackend") else ""
