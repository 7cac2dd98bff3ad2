"""How users are created."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import UserManager as DjangoUserManager
from django.db import transaction

if TYPE_CHECKING:
    from wallets.signin.models import User


class UserManager(DjangoUserManager["User"]):
    """Wallet users have neither e-mail nor password; staff have both."""

    def create_user(  # type: ignore[override]  # nobody chooses a username here
        self, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        """Create a user. Without a password the account has no password at all, rather than an empty one."""
        user = self.model(email=email or None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(  # type: ignore[override]  # as above
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Create an administrator. Whoever runs the command vouches for the e-mail: it counts as verified."""
        from allauth.account.models import EmailAddress

        if not email:
            raise ValueError("An administrator needs an e-mail address.")
        with transaction.atomic(using=self._db):
            user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
            EmailAddress.objects.using(self._db).create(user=user, email=user.email, verified=True, primary=True)
        return user
