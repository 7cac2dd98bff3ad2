"""Users and wallets with real keys."""

from typing import Any

import factory
from eth_account import Account
from eth_account.signers.local import LocalAccount
from factory.django import DjangoModelFactory

from wallets.models import LinkedWallet, User

STAFF_PASSWORD = "correct-horse-battery"


class UserFactory(DjangoModelFactory[User]):
    """Somebody without wallet, e-mail or password."""

    class Meta:
        model = User

    password = "!"


class StaffFactory(DjangoModelFactory[User]):
    """An administrator who enters by e-mail and STAFF_PASSWORD."""

    class Meta:
        model = User

    email = factory.Sequence(lambda number: f"staff{number}@example.org")

    @classmethod
    def _create(cls, model_class: type[User], *_: Any, **kwargs: Any) -> User:
        return model_class.objects.create_superuser(password=STAFF_PASSWORD, **kwargs)


class LinkedWalletFactory(DjangoModelFactory[LinkedWallet]):
    """A linked wallet; `wallet.account` signs for it."""

    class Meta:
        model = LinkedWallet

    user = factory.SubFactory(UserFactory)
    is_primary = factory.LazyAttribute(lambda wallet: not wallet.user.wallets.exists())

    @classmethod
    def _create(cls, model_class: type[LinkedWallet], *_: Any, **kwargs: Any) -> LinkedWallet:
        account: LocalAccount = kwargs.pop("account", None) or Account.create()
        wallet = model_class.objects.create(**{"address": account.address, **kwargs})
        wallet.account = account  # type: ignore[attr-defined]
        return wallet
