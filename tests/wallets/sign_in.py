"""A browser that signs in: what the tests about sign-in have in common."""

from typing import Any
from urllib.parse import urlencode

from eth_account import Account
from eth_account.signers.local import LocalAccount
from rest_framework.test import APIClient

from tests.account_fixtures import sign_siwe

NONCE = "/api/v1/auth/siwe/nonce"
VERIFY = "/api/v1/auth/siwe/verify"
REFRESH = "/api/v1/auth/token/refresh"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/me"
WALLETS = "/api/v1/wallets"


class Browser:
    """An HTTP client with cookies and CSRF checks, and the account in its wallet."""

    def __init__(self, account: LocalAccount | None = None) -> None:
        self.account: LocalAccount = account or Account.create()
        self.client = APIClient(enforce_csrf_checks=True)

    def csrf(self) -> dict[str, Any]:
        """The header a page sends with each change."""
        cookie = self.client.cookies.get("csrftoken")
        return {"HTTP_X_CSRFTOKEN": cookie.value} if cookie else {}

    def ask(self, **body: Any) -> str:
        """The message of a fresh challenge."""
        response = self.client.post(NONCE, {"address": self.account.address, **body}, **self.csrf())
        assert response.status_code == 200, response.content
        return str(response.json()["message"])

    def answer(self, message: str, signature: str | None = None, mode: str = "session") -> Any:
        """The response to a signed message."""
        signature = sign_siwe(self.account, message) if signature is None else signature
        return self.client.post(VERIFY, {"message": message, "signature": signature, "mode": mode}, **self.csrf())

    def sign_in(self, mode: str = "session") -> dict[str, Any]:
        """A whole sign-in that succeeds."""
        response = self.answer(self.ask(), mode=mode)
        assert response.status_code == 200, response.content
        body: dict[str, Any] = response.json()
        return body

    def post(self, path: str, body: Any = None) -> Any:
        """A change made by a page."""
        return self.client.post(path, body or {}, **self.csrf())

    def post_form(self, path: str, body: dict[str, str]) -> Any:
        """A form sent from a page."""
        return self.client.post(path, urlencode(body), content_type="application/x-www-form-urlencoded", **self.csrf())

    def delete(self, path: str) -> Any:
        """A removal made by a page."""
        return self.client.delete(path, **self.csrf())


def with_line(message: str, start: str, line: str | None) -> str:
    """The message with the line that begins with `start` replaced, or left out."""
    lines = message.split("\n")
    index = next(index for index, text in enumerate(lines) if text.startswith(start))
    lines[index : index + 1] = [] if line is None else [line]
    return "\n".join(lines)
