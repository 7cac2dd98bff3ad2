"""Codes of authenticator apps count once.

allauth forgets a used code after one step of 30 seconds, while a code of the step before or after is taken too: each
could be used again for up to a minute. Here it is remembered for as long as it is taken.
"""

from typing import Any

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.core.cache import cache

from wallets.models import User


def spend(user: User, code: str) -> None:
    """Use up a code that was found right. Raises ValidationError for the second use."""
    taken_for = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)  # seconds
    # `add` is atomic: of any number of requests at once one gets through.
    if not cache.add(f"totp-code:{user.pk}:{normalize_user_code(code)}", 1, taken_for):
        raise get_adapter().validation_error("incorrect_code")


class _Once:
    """A form whose code may be an authenticator app's."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            spend(self.user, code)
        return code


class CodeForm(_Once, AuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class CodeAgainForm(_Once, ReauthenticateForm):  # type: ignore[misc]
    """Proving again who one is."""


class FirstCodeForm(ActivateTOTPForm):  # type: ignore[misc]
    """Setting up an app: the code that shows it works signs nobody in afterwards."""

    user: User

    def clean_code(self) -> Any:
        code = super().clean_code()
        spend(self.user, code)
        return code
