"""One of everything, belonging to the owner, and the persons who try to get at it."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.sessions.backends.cached_db import SessionStore
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from executions.files import links
from marketplace.vault.operations import set_credential, set_secret
from tests import second_factor
from tests.access.matrix import ANONYMOUS, STAFF_MEMBER, STAFF_WITHOUT_FACTOR, STRANGER, THE_OWNER
from tests.account_fixtures import access_token, user_with_wallet
from tests.factories.executions import ExecutionFactory, FileFactory
from tests.factories.marketplace import (
    AgentFactory,
    AgentPriceFactory,
    AgentVersionFactory,
    PublishedAgentFactory,
    PurchaseFactory,
)
from tests.factories.wallets import SmartAccountFactory, StaffFactory, UserOperationFactory
from wallets.credentials import api_keys
from wallets.credentials.models import Scope
from wallets.models import BrowserSession, User

SUSPENDED = "suspended"
PERSONS = (ANONYMOUS, THE_OWNER, STRANGER, STAFF_MEMBER, STAFF_WITHOUT_FACTOR, SUSPENDED)


@dataclass(frozen=True)
class World:
    """`samples` are the values of URL parameters, by name."""

    users: dict[str, User | None]
    samples: dict[str, Any]

    def api(self, person: str) -> APIClient:
        """An API client with a token that was issued while the person was in good standing.

        No token ever has the rights of staff, so staff with a second factor come with their browser's session.
        """
        client = APIClient(raise_request_exception=False)
        user = self.user(person)
        if user is not None and person == STAFF_MEMBER:
            client.force_login(user, backend="wallets.signin.backends.WalletBackend")
        elif user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(user)}")
        self.settle(person)
        return client

    def browser(self, person: str) -> Client:
        """A browser that was signed in while the person was in good standing."""
        client = Client(raise_request_exception=False)
        user = self.user(person)
        if user is not None:
            client.force_login(user, backend="wallets.signin.backends.WalletBackend")
        if person == STAFF_WITHOUT_FACTOR:
            session = client.session
            session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
            session.save()
        self.settle(person)
        return client

    def user(self, person: str) -> User | None:
        """The account behind a person."""
        return self.users[{SUSPENDED: THE_OWNER, STAFF_WITHOUT_FACTOR: STAFF_MEMBER}.get(person, person)]

    def settle(self, person: str) -> None:
        """Suspend the owner now, if that is who asks."""
        if person == SUSPENDED:
            User.objects.filter(pk=self.users[THE_OWNER].pk).update(is_suspended=True)  # type: ignore[union-attr]


def build() -> World:
    """The world. The owner has entered with a wallet, has a second factor, and owns one of everything."""
    owner, stranger, staff = user_with_wallet(), user_with_wallet(), StaffFactory.create()
    draft = AgentFactory.create(creator=owner)
    AgentVersionFactory.create(agent=draft, number="1.0.0")
    AgentPriceFactory.create(agent=draft)
    published = PublishedAgentFactory.create(creator=owner)
    purchase, sale = (
        PurchaseFactory.create(buyer=owner),
        PurchaseFactory.create(agent=published, status="active", deposited_at=timezone.now()),
    )
    execution = ExecutionFactory.create(user=owner, output=[{"row": 1}])
    file = FileFactory.create(user=owner)
    key = api_keys.create(owner, "key", [Scope.AGENTS_READ]).key
    session = SessionStore()
    session.create()
    place = BrowserSession.objects.create(user=owner, session_key=str(session.session_key))
    second_factor.set_up(owner)
    RecoveryCodes.activate(owner)
    EmailAddress.objects.create(user=owner, email=f"{uuid4().hex}@example.org", verified=True, primary=True)
    passkey = Authenticator.objects.create(
        user=owner, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone", "credential": second_factor.passkey()}
    )
    account = SmartAccountFactory.create(user=owner, owner_address=owner.primary_address)
    operation = UserOperationFactory.create(account=account)
    set_secret(draft, owner, "API_KEY", "a-value-nobody-sees")
    set_credential(owner, "ghcr.io", "owner", "a-password-nobody-sees")
    return World(
        users={ANONYMOUS: None, THE_OWNER: owner, STRANGER: stranger, STAFF_MEMBER: staff},
        samples={
            "slug": draft.slug,
            "published": published.slug,
            "number": "1.0.0",
            "purchase_id": purchase.pk,
            "purchase": purchase.pk,
            "sale": sale.pk,
            "execution_id": execution.pk,
            "execution": execution.pk,
            "file_id": file.pk,
            "file": file.pk,
            "file_token": links.path(file).rstrip("/").rpartition("/")[2],
            "key_id": key.pk,
            "account_id": account.pk,
            "credential_id": "AAAA",
            "operation_id": operation.pk,
            "session_id": place.pk,
            "place_id": place.pk,
            "address": owner.primary_address,
            "passkey": passkey.pk,
            "name": "API_KEY",
            "registry": "ghcr.io",
        },
    )
