"""Django authentication backends. Both look at suspension on every request, so that it takes effect at once."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

WALLET_BACKEND = "wallets.signin.backends.WalletBackend"


class WalletBackend(ModelBackend):
    """Sessions begun by a wallet's signature. It knows no passwords."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:  # type: ignore[override]
        return None

    def user_can_authenticate(self, user: Any) -> bool:
        return user is not None and user.may_act


class EmailBackend(AuthenticationBackend):  # type: ignore[misc]
    """Sessions begun by e-mail and password, through allauth."""

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        return bool(getattr(user, "may_act", False))
