"""A recent proof of who one is: what changes of the ways into an account ask for, however one entered.

Signing in is one, for five minutes; then a password, a code, a passkey or a wallet's signature is asked for again.
Where there is a second factor, only that one counts.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from wallets.errors import ProofRequiredError
from wallets.models import TokenFamily, User

View = Callable[..., HttpResponse]
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def proved_lately(request: HttpRequest) -> bool:
    """Whether this session proved in the last minutes who it is; where there is a second factor, with that one."""
    records = get_authentication_records(request, request.user)
    if is_mfa_enabled(request.user, FACTORS):
        records = [record for record in records if record["method"] == "mfa"]
    return bool(records) and _is_recent(records[-1]["at"])


def record_wallet(request: HttpRequest, user: User, address: str) -> None:
    """Note that a wallet of the user's signed just now for this session."""
    record_authentication(request, user, "wallet", address=address)


def proof_required(view: View) -> View:
    """A page that is shown, or a form that is taken, only after a recent proof.

    The person is sent to the page that asks for one; what they had sent is done when they come back. Whoever is not
    signed in is left to the view.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated and not proved_lately(request):
            raise ReauthenticationRequired
        return view(request, *args, **kwargs)

    return guarded


def require_proof(request: Request) -> None:
    """The same for the API. Of a program its tokens are the proof, for as long after their sign-in as a session is.

    Raises ProofRequiredError.
    """
    if isinstance(request.auth, TokenFamily):
        proved = _is_recent(request.auth.created_at.timestamp())
    else:
        proved = proved_lately(request._request)  # noqa: SLF001  DRF's accessor to Django's request
    if not proved:
        raise ProofRequiredError


def _is_recent(moment: float) -> bool:
    return bool(timezone.now().timestamp() - moment <= app_settings.REAUTHENTICATION_TIMEOUT)
