"""How API requests are authenticated."""

from rest_framework.authentication import SessionAuthentication
from rest_framework_simplejwt.authentication import JWTAuthentication


class BearerAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`."""


class BrowserSessionAuthentication(SessionAuthentication):
    """The browser's session cookie, with CSRF protection."""
