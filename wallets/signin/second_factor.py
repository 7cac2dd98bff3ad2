"""Authenticator apps, passkeys and recovery codes: allauth's, with our keys, our names and a session that remembers."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import AddWebAuthnView
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpResponse
from django.utils.encoding import force_bytes

from wallets.signin.proof import FACTORS


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """How allauth keeps and names second factors."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not right. Wait for the next one in your app, or use a recovery code.",
        "unverified_email": "Confirm your e-mail address first.",
    }

    def encrypt(self, text: str) -> str:
        """Secrets of authenticator apps lie in the database under a key made of SECRET_KEY."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The way back; keys of SECRET_KEY_FALLBACKS open too."""
        return _box().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the host of SITE_URL, whatever Host header a request carries."""
        return {"id": str(urlsplit(settings.SITE_URL).hostname), "name": settings.SITE_NAME}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002  allauth's name
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return "Passkey" if count == 0 else f"Passkey {count + 1}"


class _FirstFactor:
    """A factor set up where there was none has just been used: the session counts as entered with it.

    Not so for further ones: whoever came in without the first may not earn it by adding another.
    """

    request: Any
    kind: Authenticator.Type

    def form_valid(self, form: Any) -> HttpResponse:
        user = self.request.user
        first = not is_mfa_enabled(user, FACTORS)
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        if first:
            record_authentication(self.request, user, "mfa", type=self.kind)
        return response


class ActivateCodes(_FirstFactor, ActivateTOTPView):  # type: ignore[misc]
    """Set up an authenticator app."""

    kind = Authenticator.Type.TOTP


class AddPasskey(_FirstFactor, AddWebAuthnView):  # type: ignore[misc]
    """Add a passkey. Every one can sign in alone: the device keeps it and asks for its owner."""

    kind = Authenticator.Type.WEBAUTHN

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["js_data"] = {"creation_options": auth.begin_registration(self.request.user, passwordless=True)}
        return context


def _box() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = [sha256(b"second factor:" + force_bytes(secret)).digest() for secret in secrets]
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])
