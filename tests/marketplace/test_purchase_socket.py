"""Purchases over WebSocket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import connections, transaction

from config.asgi import application
from marketplace.models import Purchase
from marketplace.purchases import facts
from marketplace.purchases.lapsing import lapse_stale
from marketplace.purchases.notices import announce
from marketplace.routing import websocket_urlpatterns
from tests.account_fixtures import access_token
from tests.factories.marketplace import PurchaseFactory
from tests.marketplace.events import escrow_event, time_of
from wallets.models import User

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 20  # seconds; a machine may be busy
router = URLRouter(websocket_urlpatterns)


@pytest.fixture(autouse=True)
async def _close_connections() -> AsyncIterator[None]:
    """The database connection of the thread in which asynchronous code does its queries."""
    yield
    await sync_to_async(connections.close_all)()


@asynccontextmanager
async def opened(user: object, purchase_id: UUID) -> AsyncIterator[WebsocketCommunicator]:
    """A socket of `user` that was accepted; the client hangs up at the end."""
    client = WebsocketCommunicator(router, f"/ws/purchases/{purchase_id}/")
    client.scope["user"] = user
    assert (await client.connect(timeout=WAIT))[0]
    yield client
    await client.disconnect(timeout=WAIT)


async def made(**values: Any) -> Purchase:
    values.setdefault("valid_until", time_of(10**6))
    purchase: Purchase = await sync_to_async(PurchaseFactory.create)(**values)
    return purchase


async def closed_with(client: WebsocketCommunicator) -> int:
    message = await client.receive_output(timeout=WAIT)
    assert message["type"] == "websocket.close"
    code: int = message["code"]
    return code


async def test_buyer_gets_the_purchase_at_once_and_after_every_change() -> None:
    purchase = await made()
    async with opened(purchase.buyer, purchase.pk) as client:
        first = await client.receive_json_from(timeout=WAIT)
        assert (first["type"], first["purchase"]["id"], first["purchase"]["status"]) == (
            "purchase",
            str(purchase.pk),
            "quoted",
        )
        assert first["purchase"]["amount"] == "10000000000000000"
        deposit = await sync_to_async(escrow_event)(purchase, "PaymentDeposited", 5)
        for tell, status in (
            (facts.on_seen, "deposited"),
            (facts.on_confirmed, "active"),
            (facts.on_reverted, "quoted"),
        ):
            await sync_to_async(tell)(deposit)
            message = await client.receive_json_from(timeout=WAIT)
            assert (message["type"], message["purchase"]["status"]) == ("purchase", status)
        await sync_to_async(facts.on_reverted)(deposit)
        assert await client.receive_nothing(0.2)


async def test_lapse_is_told() -> None:
    purchase = await made(valid_until=time_of(1))
    async with opened(purchase.buyer, purchase.pk) as client:
        await client.receive_json_from(timeout=WAIT)
        await sync_to_async(lapse_stale)()
        assert (await client.receive_json_from(timeout=WAIT))["purchase"]["status"] == "unknown"


async def test_nothing_is_told_of_a_transaction_that_fails() -> None:
    purchase = await made()
    async with opened(purchase.buyer, purchase.pk) as client:
        await client.receive_json_from(timeout=WAIT)

        def fail() -> None:
            with transaction.atomic():
                Purchase.objects.update(status="active")
                announce(purchase.pk)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await sync_to_async(fail)()
        assert await client.receive_nothing(0.3)


async def test_what_the_client_says_is_ignored() -> None:
    purchase = await made()
    async with opened(purchase.buyer, purchase.pk) as client:
        await client.receive_json_from(timeout=WAIT)
        for text in ("{", '{"type": "purchase.changed"}', "x" * 10_000):
            await client.send_to(text_data=text)
        await client.send_to(bytes_data=b"\x00\xff")
        assert await client.receive_nothing(0.2)
        await sync_to_async(announce)(purchase.pk)
        assert (await client.receive_json_from(timeout=WAIT))["type"] == "purchase"


async def test_anonymous_is_closed_with_4401() -> None:
    purchase = await made()
    async with opened(AnonymousUser(), purchase.pk) as client:
        assert await closed_with(client) == 4401


@pytest.mark.parametrize("who", ["stranger", "staff_without_the_permission", "creator_of_an_offer"])
async def test_everybody_else_is_closed_with_4403(who: str, stranger: User) -> None:
    purchase = await made()
    helper = await sync_to_async(User.objects.create_user)(email="helper@example.org", is_staff=True)
    people = {"stranger": stranger, "staff_without_the_permission": helper}
    async with opened(people.get(who) or purchase.agent.creator, purchase.pk) as client:
        assert await closed_with(client) == 4403


@pytest.mark.parametrize("who", ["staff", "creator_of_the_agent"])
async def test_staff_and_the_creator_follow_what_was_paid(who: str, staff: User) -> None:
    purchase = await made(deposited_at=time_of(1))
    async with opened(staff if who == "staff" else purchase.agent.creator, purchase.pk) as client:
        assert (await client.receive_json_from(timeout=WAIT))["purchase"]["id"] == str(purchase.pk)


async def test_purchase_that_does_not_exist_is_closed_with_4403(stranger: User) -> None:
    async with opened(stranger, uuid4()) as client:
        assert await closed_with(client) == 4403


async def test_route_is_part_of_the_site_behind_its_authentication() -> None:
    purchase = await made()
    token = await sync_to_async(access_token)(purchase.buyer)
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"origin", b"http://localhost:8000")]
    client = WebsocketCommunicator(application, f"/ws/purchases/{purchase.pk}/", headers=headers)
    assert (await client.connect(timeout=WAIT))[0]
    assert (await client.receive_json_from(timeout=WAIT))["purchase"]["id"] == str(purchase.pk)
    await client.disconnect(timeout=WAIT)
