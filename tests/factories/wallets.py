"""Users and wallets with real keys."""

import secrets
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from eth_account import Account
from eth_account.signers.local import LocalAccount
from factory.django import DjangoModelFactory

from wallets.models import LinkedWallet, SmartAccount, User, UserOperation
from wallets.smart_accounts.entry_point import ENTRY_POINT

STAFF_PASSWORD = "correct-horse-battery"


class UserFactory(DjangoModelFactory[User]):
    """Somebody without wallet, e-mail or password."""

    class Meta:
        model = User

    password = "!"


class StaffFactory(DjangoModelFactory[User]):
    """An administrator who enters by e-mail and STAFF_PASSWORD, and acts as one who gave a second factor."""

    class Meta:
        model = User

    email = factory.Sequence(lambda number: f"staff{number}@example.org")

    @classmethod
    def _create(cls, model_class: type[User], *_: Any, **kwargs: Any) -> User:
        made = model_class.objects.create_superuser(password=STAFF_PASSWORD, **kwargs)
        made.acts_as_staff = True
        return made


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


class SmartAccountFactory(DjangoModelFactory[SmartAccount]):
    """A wallet's smart account; give `owner_address` one of the user's wallets to have it usable."""

    class Meta:
        model = SmartAccount

    user = factory.SubFactory(UserFactory)
    network = "local"
    address = factory.LazyFunction(lambda: Account.create().address)
    owner_kind = SmartAccount.Owner.WALLET
    owner_address = factory.LazyFunction(lambda: Account.create().address)


class UserOperationFactory(DjangoModelFactory[UserOperation]):
    """An operation waiting for its signature; its hash is of nothing."""

    class Meta:
        model = UserOperation

    account = factory.SubFactory(SmartAccountFactory)
    purpose = "Send 0.1 ETH"
    calls = factory.LazyFunction(lambda: [{"to": ENTRY_POINT, "data": "0x", "value": hex(10**17)}])
    entry_point = ENTRY_POINT
    user_op_hash = factory.LazyFunction(lambda: "0x" + secrets.token_hex(32))
    nonce = 0
    call_data = b""
    call_gas_limit = 100_000
    verification_gas_limit = 100_000
    pre_verification_gas = 50_000
    max_fee_per_gas = 10**9
    max_priority_fee_per_gas = 10**8
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=15))
    scanned_to = 0
