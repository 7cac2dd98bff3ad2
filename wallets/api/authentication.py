"""How API requests are authenticated."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from wallets.api.scopes import require_scope
from wallets.credentials import api_keys, tokens
from wallets.errors import ApiKeyError, TokenError
from wallets.models import ApiKey, TokenFamily, User


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token or API key>`. `request.auth` is the token's family, or the key."""

    def authenticate(self, request: Request) -> tuple[User, TokenFamily | ApiKey] | None:
        raw = bearer_credential(request.META.get("HTTP_AUTHORIZATION", ""))
        if raw is None:
            return None
        try:
            if raw.startswith(api_keys.MARK):
                key = api_keys.authenticate(raw)
                require_scope(key, request)
                return key.user, key
            authenticated = tokens.authenticate(raw)
        except (TokenError, ApiKeyError) as exc:
            raise AuthenticationFailed(exc.message, code=exc.code) from exc
        return authenticated.user, authenticated.family

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class BrowserSessionAuthentication(SessionAuthentication):
    """The browser's session cookie, with CSRF protection."""


def bearer_credential(header: str) -> str | None:
    """What follows `Bearer` in an Authorization header; None when it is another scheme or absent."""
    scheme, _, credential = header.strip().partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes bearer tokens."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT or API key"}


class BrowserSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes the browser's session."""

    target_class = BrowserSessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
